//! From nodes to values: templates, conditions, lookups.
//!
//! The engine that evaluates is here; where variables come from is behind [`Scope`], which `vars` implements.

mod blame;
mod check;
mod condition;
mod context;
mod engine;
mod env;
mod error;
mod files;
pub mod filters;
mod foreign;
mod format;
mod functions;
pub mod is_tests;
mod literal;
pub mod lookups;
mod loops;
pub mod methods;
mod native;
mod object;
mod own;
mod plugins;
mod rewrite;
mod scope;
mod undefined;
mod walk;

#[cfg(test)]
mod tests;

pub use check::{filter_names, test_names};
pub use engine::{Engine, Settings};
pub use error::TemplateError;
pub use files::FileOptions;
pub use filters::json_text;
pub use plugins::Plugins;
pub use scope::{Binding, Known, LazyMap, Scope};
