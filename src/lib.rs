//! Regatta: Ansible's playbooks, pushed over SSH by a small static worker.
//!
//! The layers, lowest first; a layer uses only lower ones (`tests/layers.rs` holds that):
//! `value` `pattern` `outcome` `diag` `event` · `proto` `modules` `facts` `yaml` `vault` · `worker` `inventory` `template` `vars`
//! `playbook` · `connection` · `engine` · `output` · `cli`. Without the feature `controller` only what the worker
//! needs is built.

pub mod facts;
pub mod modules;
pub mod outcome;
pub mod pattern;
pub mod proto;
pub mod secret;
pub mod value;
pub mod worker;

#[cfg(feature = "controller")]
pub mod cli;
#[cfg(feature = "controller")]
pub mod connection;
#[cfg(feature = "controller")]
pub mod diag;
#[cfg(feature = "controller")]
pub mod docs;
#[cfg(feature = "controller")]
pub mod engine;
#[cfg(feature = "controller")]
pub mod event;
#[cfg(feature = "controller")]
pub mod inventory;
#[cfg(feature = "controller")]
pub mod output;
#[cfg(feature = "controller")]
pub mod playbook;
#[cfg(feature = "controller")]
pub mod template;
#[cfg(feature = "controller")]
pub mod vars;
#[cfg(feature = "controller")]
pub mod vault;
#[cfg(feature = "controller")]
pub mod yaml;
