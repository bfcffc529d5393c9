//! From nodes to plays, blocks and tasks. Runs nothing and renders nothing.

mod call;
mod check;
mod freeform;
mod imports;
mod inherit;
pub mod keywords;
pub mod listing;
mod loader;
mod loops;
mod model;
mod paths;
mod play;
mod reader;
mod resolve;
mod role;
mod task;
#[cfg(test)]
mod tests;

pub use check::{Reach, TemplateCheck, check};
pub use freeform::split_pairs;
pub use loader::{LoadOptions, Loader, Names, RoleRequest};
pub use model::*;
