//! In which order the hosts of a batch go through their tasks.

mod free;
mod linear;

use super::batch::Batch;

/// The strategies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// All hosts finish a task before any begins the next.
    Linear,
    /// Every host goes on as fast as it can.
    Free,
    /// The same, but only so many hosts at a time as there are forks.
    HostPinned,
}

/// Their names, for messages.
pub(super) const NAMES: &[&str] = &["linear", "free", "host_pinned"];

impl Strategy {
    /// By name, short or full.
    pub(super) fn named(name: &str) -> Option<Strategy> {
        match name.rsplit('.').next().unwrap_or_default() {
            "linear" => Some(Strategy::Linear),
            "free" => Some(Strategy::Free),
            "host_pinned" => Some(Strategy::HostPinned),
            _ => None,
        }
    }

    /// Runs the batch to its end.
    pub(super) async fn run(self, batch: &mut Batch<'_>) {
        match self {
            Strategy::Linear => linear::run(batch).await,
            Strategy::Free => free::run(batch, usize::MAX).await,
            Strategy::HostPinned => {
                let forks = batch.shared.options.forks.max(1);
                free::run(batch, forks).await;
            }
        }
    }
}
