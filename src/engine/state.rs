//! What a run knows and changes: hosts' data, tallies, who is out. Owned by the run loop alone, so nothing is locked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::mpsc;

use super::options::Options;
use crate::diag::{Diagnostic, code};
use crate::event::{Event, Recap, Sink, Tally, TaskStart};
use crate::inventory::Inventory;
use crate::value::{Map, Str, Value};
use crate::vars::{FactCache, HostData, Moment};

/// The state of a run.
pub(super) struct State {
    pub(super) moment: Arc<Moment>,
    pub(super) tallies: IndexMap<Str, Tally>,
    /// Hosts that failed or can't be reached: out of all later plays.
    pub(super) out: HashSet<Str>,
    /// Of those, the ones that can't be reached.
    pub(super) unreachable: HashSet<Str>,
    pub(super) stats: Map,
    /// `set_stats` with `per_host`.
    pub(super) host_stats: IndexMap<Str, Map>,
    pub(super) times: Vec<(Arc<TaskStart>, Duration)>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) reports: mpsc::UnboundedReceiver<Event>,
    /// Numbers the chains of calls.
    pub(super) chains: u64,
    /// `--start-at-task` is not there yet.
    pub(super) awaiting_start: bool,
}

impl State {
    /// Tells the output, after everything that running tasks told before.
    pub(super) fn tell(&mut self, event: &Event) {
        while let Ok(earlier) = self.reports.try_recv() {
            self.sink.event(&earlier);
        }
        self.sink.event(event);
    }

    /// A host's data, to change it. Scopes that were made before keep what they saw.
    pub(super) fn data(&mut self, host: &Str) -> &mut HostData {
        let moment = Arc::make_mut(&mut self.moment);
        Arc::make_mut(moment.hosts.entry(host.clone()).or_default())
    }

    /// Takes the facts that earlier runs kept, or forgets them.
    pub(super) fn recall_facts(&mut self, options: &Options) {
        let Some(cache) = &options.fact_cache else { return };
        for host in self.moment.inventory.host_names() {
            if options.flush_cache {
                cache.forget(&host);
            } else if let Some(facts) = cache.load(&host) {
                self.data(&host).add_facts(&facts);
            }
        }
    }

    /// Keeps a host's facts for later runs; what can't be kept is a warning.
    pub(super) fn keep_facts(&mut self, host: &Str, cache: &FactCache) {
        let facts = self.data(host).facts.clone();
        if let Err(error) = cache.store(host, &facts) {
            let message = format!("can't keep the facts of {host} in {}: {error}", cache.folder.display());
            self.tell(&Event::Message(Diagnostic::warning(code::FILE_UNREADABLE, message)));
        }
    }

    pub(super) fn tally(&mut self, host: &Str) -> &mut Tally {
        self.tallies.entry(host.clone()).or_default()
    }

    /// Changes the inventory (`add_host`, `group_by`).
    pub(super) fn change_inventory(&mut self, change: impl FnOnce(&mut Inventory)) {
        let moment = Arc::make_mut(&mut self.moment);
        let mut inventory = (*moment.inventory).clone();
        change(&mut inventory);
        moment.set_inventory(Arc::new(inventory));
    }

    /// `set_stats`: numbers add up, lists and mappings grow, anything else is replaced.
    pub(super) fn add_stats(&mut self, host: Option<&Str>, data: Map, aggregate: bool) {
        let stats = match host {
            Some(host) => self.host_stats.entry(host.clone()).or_default(),
            None => &mut self.stats,
        };
        for (name, value) in data {
            let sum = match (stats.get(&name), &value) {
                (Some(Value::Int(a)), Value::Int(b)) if aggregate => Value::Int(a.saturating_add(*b)),
                (Some(Value::Float(a)), Value::Float(b)) if aggregate => Value::Float(a + b),
                (Some(Value::Str(a)), Value::Str(b)) if aggregate => Value::from(format!("{a}{b}")),
                (Some(Value::List(a)), Value::List(b)) if aggregate => {
                    a.iter().chain(b.iter()).cloned().collect()
                }
                (Some(Value::Map(a)), Value::Map(b)) if aggregate => {
                    let mut merged = (**a).clone();
                    merged.extend(b.iter().map(|(key, value)| (key.clone(), value.clone())));
                    Value::map(merged)
                }
                _ => value,
            };
            stats.insert(name, sum);
        }
    }

    /// The recap, hosts sorted by name.
    pub(super) fn recap(&mut self, took: Duration) -> Recap {
        let mut hosts: Vec<(Str, Tally)> =
            self.tallies.iter().map(|(host, tally)| (host.clone(), *tally)).collect();
        hosts.sort_by(|a, b| a.0.cmp(&b.0));
        let mut host_stats: Vec<(Str, Map)> = std::mem::take(&mut self.host_stats).into_iter().collect();
        host_stats.sort_by(|a, b| a.0.cmp(&b.0));
        let (stats, times) = (std::mem::take(&mut self.stats), std::mem::take(&mut self.times));
        Recap { hosts, stats, host_stats, times, took }
    }
}
