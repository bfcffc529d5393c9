//! Signals. Those that ask the worker to end stop what runs, as a cut link does, instead of leaving it behind.

#![expect(unsafe_code, reason = "the standard library has no way to block signals and wait for them")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread;

/// Blocks SIGHUP, SIGINT, SIGTERM and SIGUSR1. To be called while there are no other threads, which could take them. Programs
/// that the worker starts get an empty mask again from the standard library.
pub(super) fn block() -> Signals {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the set before anything reads it, and all pointers are to this frame's memory.
    let set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGUSR1] {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
        set.assume_init()
    };
    Signals(set)
}

/// The blocked signals.
pub(super) struct Signals(libc::sigset_t);

impl Signals {
    /// Calls `act` with each of them that comes.
    ///
    /// # Errors
    /// No room for the thread that waits.
    pub(super) fn each(self, act: impl Fn(i32) + Send + 'static) -> io::Result<()> {
        thread::Builder::new().name("signals".into()).spawn(move || {
            let mut signal = 0;
            // SAFETY: the set was filled by `block`, and `signal` lives as long as the call.
            while unsafe { libc::sigwait(&raw const self.0, &raw mut signal) } == 0 {
                act(signal);
            }
        })?;
        Ok(())
    }
}
