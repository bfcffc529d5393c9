//! `meta` tasks: they steer the run instead of running anywhere.

use std::sync::Arc;

use super::{Batch, HostRun, Standing};
use crate::engine::keywords::Keywords;
use crate::engine::reach;
use crate::event::Event;
use crate::playbook::Task;
use crate::value::Str;
use crate::vars::Bindings;

impl Batch<'_> {
    /// Does what the word says for the hosts that got here.
    pub(in crate::engine) async fn meta(
        &mut self,
        word: &Str,
        task: &Arc<Task>,
        hosts: &[(usize, Arc<Bindings>)],
    ) {
        match &**word {
            "flush_handlers" => self.flush(task, hosts),
            "noop" => {}
            "end_play" => {
                if hosts.first().is_some_and(|(index, params)| self.holds(*index, task, params)) {
                    self.end_all();
                    self.play_ended = true;
                }
            }
            "end_batch" => {
                if hosts.first().is_some_and(|(index, params)| self.holds(*index, task, params)) {
                    self.end_all();
                }
            }
            "clear_host_errors" => {
                if hosts.first().is_some_and(|(index, params)| self.holds(*index, task, params)) {
                    self.state.out.clear();
                    self.state.unreachable.clear();
                }
            }
            "refresh_inventory" => self.refresh_inventory(),
            _ => {
                for (index, params) in hosts {
                    if self.holds(*index, task, params) {
                        self.meta_host(word, *index, task, params).await;
                    }
                }
            }
        }
    }

    async fn meta_host(&mut self, word: &str, index: usize, task: &Arc<Task>, params: &Arc<Bindings>) {
        let Some(host) = self.hosts.get_mut(index) else { return };
        let name = host.name.clone();
        match word {
            "end_host" => {
                host.cursor.end();
                host.standing = Standing::Done;
            }
            "end_role" => host.cursor.end_role(),
            "clear_facts" => {
                self.state.data(&name).clear_facts();
                if let Some(cache) = &self.shared.options.fact_cache {
                    cache.forget(&name);
                }
            }
            "reset_connection" => {
                let scope = self.scope(index, task, params);
                let keywords = Keywords::new(self.shared, &scope);
                if let Ok(reach) = reach::reach(&keywords, &task.common, &name) {
                    self.shared.connector.reset(&reach.target).await;
                }
            }
            // Unknown words are refused when the playbook is loaded.
            _ => {}
        }
    }

    /// Whether the task's conditions hold for a host; a condition that can't be evaluated fails the host.
    fn holds(&mut self, index: usize, task: &Arc<Task>, params: &Arc<Bindings>) -> bool {
        let scope = self.scope(index, task, params);
        let verdict = Keywords::new(self.shared, &scope).all(&task.common.when);
        match verdict {
            Ok(verdict) => verdict.is_ok(),
            Err(error) => {
                self.state.tell(&Event::Message(*error.diagnostic));
                self.fail(index, task, None);
                false
            }
        }
    }

    /// Puts the handlers in front of every host that got here.
    fn flush(&mut self, task: &Arc<Task>, hosts: &[(usize, Arc<Bindings>)]) {
        if self.handlers.is_empty() {
            return;
        }
        let items = self.handlers.items();
        if let Some(peer) = hosts.first().and_then(|(index, _)| self.hosts.get(*index)).filter(|_| self.force)
        {
            let peer = peer.cursor.clone();
            let failed = |host: &&mut HostRun| host.standing == Standing::Failed && !host.notified.is_empty();
            for host in self.hosts.iter_mut().filter(failed) {
                host.standing = Standing::Active;
                host.cursor.push_last_handlers(items.clone(), &peer);
            }
        }
        for (index, params) in hosts {
            if !task.common.when.is_empty() && !self.holds(*index, task, params) {
                continue;
            }
            if let Some(host) = self.hosts.get_mut(*index).filter(|host| !host.notified.is_empty()) {
                host.cursor.push_handlers(items.clone());
            }
        }
    }

    fn end_all(&mut self) {
        for host in self.hosts.iter_mut().filter(|host| host.standing == Standing::Active) {
            host.cursor.end();
            host.standing = Standing::Done;
        }
    }

    fn refresh_inventory(&mut self) {
        let (inventory, problems) = self.state.moment.inventory.reload();
        Arc::make_mut(&mut self.state.moment).set_inventory(Arc::new(inventory));
        problems.into_iter().for_each(|problem| self.state.tell(&Event::Message(problem)));
    }
}
