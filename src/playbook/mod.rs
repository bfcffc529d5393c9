//! From nodes to plays, blocks and tasks. Runs nothing and renders nothing.

mod code;
mod freeform;
pub mod keywords;
mod model;

pub use model::*;
