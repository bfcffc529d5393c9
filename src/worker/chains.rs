//! Chains of calls: those of one chain run one after another in the order they came, chains run side by side.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread;

use super::control::{Control, Stop};
use super::{Phase, Server, job, lock};
use crate::proto::{Call, FromWorker, Reply};

/// All chains that have something to do, and those whose last call failed.
#[derive(Default)]
pub(super) struct Chains {
    chains: HashMap<u64, Chain>,
    running: usize,
}

#[derive(Default)]
struct Chain {
    waiting: VecDeque<(Call, Arc<Control>)>,
    running: bool,
    /// Whether the last call failed or was not run.
    failed: bool,
}

impl Chains {
    /// Whether any call waits or runs.
    pub(super) fn busy(&self) -> bool {
        self.running > 0
    }

    /// The next call of a chain, and whether the one before it failed. None: the chain rests.
    fn next(&mut self, id: u64) -> Option<(Call, Arc<Control>, bool)> {
        let chain = self.chains.get_mut(&id)?;
        if let Some((call, control)) = chain.waiting.pop_front() {
            return Some((call, control, chain.failed));
        }
        chain.running = false;
        self.running -= 1;
        // Only a failure has to be remembered.
        if !chain.failed {
            self.chains.remove(&id);
        }
        None
    }
}

impl Server {
    /// Puts a call at the end of its chain. A call that is known already is not run again: its result is on its way,
    /// or is sent once more.
    pub(super) fn submit(self: &Arc<Self>, call: Call) {
        let kept = lock(&self.finished).get(&call.id).cloned();
        if let Some((reply, _)) = kept {
            self.send(&FromWorker::Done { call: call.id, reply });
            return;
        }
        let control = Arc::new(Control::default());
        {
            let mut calls = lock(&self.calls);
            if calls.contains_key(&call.id) {
                return;
            }
            calls.insert(call.id, Arc::clone(&control));
        }
        let id = call.chain;
        let mut chains = lock(&self.chains);
        let chain = chains.chains.entry(id).or_default();
        chain.waiting.push_back((call, control));
        if chain.running {
            return;
        }
        chain.running = true;
        chains.running += 1;
        drop(chains);
        let server = Arc::clone(self);
        let started = thread::Builder::new().name(format!("chain {id}")).spawn(move || server.drive(id));
        if let Err(error) = started {
            self.give_up(id, &format!("the host has no room for another thread: {error}"));
        }
    }

    fn drive(self: &Arc<Self>, id: u64) {
        loop {
            let Some((call, control, failed)) = lock(&self.chains).next(id) else { break };
            let call_id = call.id;
            let reply = if self.phase() == Phase::Ending {
                Reply::Died(Stop::LinkCut.to_string())
            } else if call.only_if_previous_ok && failed {
                Reply::NotRun
            } else {
                job::perform(self, call, &control)
            };
            if let Some(chain) = lock(&self.chains).chains.get_mut(&id) {
                chain.failed = !matches!(&reply, Reply::Ran(outcome) if !outcome.failed);
            }
            self.finish(call_id, reply, &control);
        }
        self.rested();
    }

    /// Answers everything a chain holds with the reason why it can't run.
    fn give_up(&self, id: u64, reason: &str) {
        loop {
            let Some((call, control, _)) = lock(&self.chains).next(id) else { break };
            self.finish(call.id, Reply::Died(reason.to_owned()), &control);
        }
        self.rested();
    }

    /// Wakes who waits for the last chain to rest. Takes the lock that it waits with, so that no wake-up is lost.
    fn rested(&self) {
        drop(lock(&self.phase));
        self.changed.notify_all();
    }
}
