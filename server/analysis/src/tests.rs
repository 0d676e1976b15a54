//! Fixtures: repositories and clusters as text, answers drawn under the source lines.

mod catalogue;
mod charts;
mod drawing;
mod fixture;
mod gate;
mod head;
mod hovers;
mod incremental;
mod journey;
mod kept;
mod left_out;
mod lenses;
mod live;
mod marks;
mod navigation;
mod placing;
mod plain;
mod properties;
mod purpose;
mod reported;
mod shop;
mod silent;
mod speed;
mod statuses;
mod unapplied;
