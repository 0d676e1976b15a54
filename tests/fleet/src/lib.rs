//! A small but real-looking GitOps repository: the demo, the screenshots, the fixtures.
