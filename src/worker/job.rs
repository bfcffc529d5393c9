//! One call: its module in a thread of its own, with whatever it does turned into a reply.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use super::control::Control;
use super::outlet::Outlet;
use super::{Server, detached, identity};
use crate::modules;
use crate::modules::api::{Fail, RealHost};
use crate::outcome::Outcome;
use crate::proto::{Call, Reply};

thread_local! {
    /// What the last panic of this thread said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes a panicking thread keep its message for [`guarded`] instead of printing it.
pub(super) fn keep_panic_messages() {
    panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().copied();
        let text = text.or_else(|| info.payload().downcast_ref::<String>().map(String::as_str));
        let what = text.unwrap_or("no message");
        let place = info.location().map(|it| format!(" at {}:{}", it.file(), it.line())).unwrap_or_default();
        PANIC.with_borrow_mut(|kept| *kept = format!("{what}{place}"));
    }));
}

/// Runs a call to its end.
pub(super) fn perform(server: &Arc<Server>, call: Call, control: &Arc<Control>) -> Reply {
    if let Some(stop) = control.stopped() {
        return Reply::Died(stop.to_string());
    }
    if let Some(identity) = &call.identity {
        let identity = identity.clone();
        return identity::perform(server, &identity, call, control);
    }
    if let Some(seconds) = call.detach {
        return Reply::Ran(detached::start(call, seconds));
    }
    let limit = call.timeout;
    let (server, inner) = (Arc::clone(server), Arc::clone(control));
    let name = call.module.to_string();
    let started = thread::Builder::new().name(name).spawn(move || {
        inner.end(guarded(&call.module, || module(&server, &call, &inner)));
    });
    match started {
        Ok(_) => control.outcome(limit, || ()),
        Err(error) => Reply::Died(format!("the host has no room for another thread: {error}")),
    }
}

fn guarded(name: &str, work: impl FnOnce() -> Outcome) -> Reply {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => Reply::Ran(outcome),
        Err(_) => Reply::Died(format!("the module {name} has a bug: it panicked: {}", PANIC.take())),
    }
}

fn module(server: &Arc<Server>, call: &Call, control: &Arc<Control>) -> Outcome {
    let exec = match &*call.module {
        modules::custom::NAME => Some(modules::custom::run as _),
        name => modules::find(name).and_then(|entry| entry.exec),
    };
    let Some(exec) = exec else {
        return Fail::new(format!("the worker has no module {}", call.module)).into_outcome();
    };
    let outlet = Outlet::new(server, control, call.id, call.live);
    let mut host = RealHost::new(&outlet, &call.blobs, &call.environment);
    exec(&call.args, &mut host, call.check, call.diff).unwrap_or_else(Fail::into_outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_panics_is_that_task_s_failure_and_says_where() {
        let before = panic::take_hook();
        keep_panic_messages();
        let reply = guarded("odd", || panic!("no {}", "way"));
        let fine = guarded("fine", Outcome::changed);
        panic::set_hook(before);
        assert_eq!(fine, Reply::Ran(Outcome::changed()));
        let Reply::Died(why) = reply else { panic!("{reply:?}") };
        assert!(
            why.starts_with("the module odd has a bug: it panicked: no way at src/worker/job.rs:"),
            "{why}"
        );
    }
}
