//! Documents joined with facts: binding, place, findings, hovers and lenses as plain values. Pure.
