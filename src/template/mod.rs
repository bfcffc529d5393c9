//! From nodes to values: templates, conditions, lookups.
//!
//! The engine that evaluates is here; where variables come from is behind [`Scope`], which `vars` implements.

pub mod filters;
pub mod is_tests;
mod scope;

pub use scope::{Binding, LazyMap, Scope};
