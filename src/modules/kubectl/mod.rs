//! The Kubernetes API through `kubectl` on the host that has the kubeconfig: what the modules of `kubernetes/` share.
//!
//! Not a module. Objects go in on standard input and come out as JSON; secrets never stand on a command line. What the
//! server would make of an object is asked of the server itself, by its dry run.

mod change;
mod connection;
mod lookup;
mod manifest;
mod merge;
mod object;
mod present;
mod run;
mod show;
mod validate;
mod wait;

pub(crate) use change::{Change, Changes, Showing};
pub(crate) use connection::Connection;
pub(crate) use lookup::{Place, Selection, object_of, resource, selected};
pub(crate) use manifest::{Source, append_hash};
pub(crate) use object::{Id, at};
pub(crate) use present::{How, ServerSide, Strategy, Wish};
pub(crate) use run::Kubectl;
pub(crate) use show::{diff_of, shown};
pub(crate) use validate::Validation;
pub(crate) use wait::Waiting;
