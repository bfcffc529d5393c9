//! Ctrl-C: once ends the run after the running tasks, twice at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::terminal;

/// Counts interrupts into the channel. SIGTERM counts as an interrupt too.
pub(super) fn watch(stop: watch::Sender<u8>) {
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.send_modify(|level| *level = level.saturating_add(1));
            let level = *stop.borrow();
            terminal::complain(match level {
                1 => "\nStopping after the running tasks. Press Ctrl-C again to stop at once.\n",
                _ => "\nStopping now.\n",
            });
        }
    });
}
