//! What every part of a run may use and nothing changes: options, templates, connections.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};

use super::options::{Options, Prompt};
use crate::connection::Connector;
use crate::diag::Sources;
use crate::event::Event;
use crate::playbook::Loader;
use crate::template;
use crate::vars::RunVars;

/// Shared by all tasks of a run.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) sources: Arc<Sources>,
    pub(super) templates: Arc<template::Engine>,
    pub(super) loader: Arc<Loader>,
    pub(super) connector: Arc<Connector>,
    pub(super) prompt: Arc<dyn Prompt>,
    pub(super) run_vars: Arc<RunVars>,
    /// At most so many hosts at the same time.
    pub(super) forks: Arc<Semaphore>,
    /// Over 0 once the user asked to stop.
    pub(super) stop: watch::Receiver<u8>,
    /// Events of running tasks, in order; the strategy loop passes them on.
    pub(super) reports: mpsc::UnboundedSender<Event>,
}

impl Shared {
    /// Passes an event on. Nobody listens only when the run is over.
    pub(super) fn report(&self, event: Event) {
        let _ = self.reports.send(event);
    }

    /// Whether the user asked to stop.
    pub(super) fn stopping(&self) -> bool {
        *self.stop.borrow() > 0
    }
}
