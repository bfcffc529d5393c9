//! From nodes to plays, blocks and tasks. Runs nothing and renders nothing.

mod model;

pub use model::*;
