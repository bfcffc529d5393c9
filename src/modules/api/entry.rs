//! The trait that a module implements, and its line in the registry.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

#[cfg(feature = "controller")]
use super::Manual;
use super::{Diff, Fail, Look, Map, Outcome, Touch, decode};

/// What a module supports; printed in its documentation and held by the contract tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// In check mode it says exactly whether a run would change something.
    pub check: bool,
    /// It can show before and after.
    pub diff: bool,
    /// A second run with the same arguments changes nothing.
    pub idempotent: bool,
}

impl Support {
    /// Check mode, diff and idempotence.
    pub const FULL: Support = Support { check: true, diff: true, idempotent: true };
    /// Check mode and idempotence, but nothing to show.
    pub const NO_DIFF: Support = Support { check: true, diff: false, idempotent: true };
    /// Runs whatever the user gave: changes each time.
    pub const IMPERATIVE: Support = Support { check: true, diff: false, idempotent: false };
}

/// A module: the struct's fields are its arguments, its doc comment is its documentation.
pub trait Module: DeserializeOwned + JsonSchema {
    /// What it supports.
    const SUPPORT: Support = Support::FULL;
    /// YAML tasks: shown in the documentation, parsed and run by the contract tests.
    const EXAMPLES: &'static str;
    /// What it returns: a YAML mapping from field to a line of description, shown in the documentation.
    const RETURNS: &'static str = "";
    /// The argument that takes a task's free text (`command: ls -l`), if it takes any.
    const FREE_FORM: Option<&'static str> = None;
    /// Whether it takes arguments of any name (`set_fact`); then its last field is [`super::Others`].
    const OPEN: bool = false;
    /// This module's own words for what must change.
    type Plan;

    /// Looks at the host and says what must change.
    ///
    /// # Errors
    /// What makes the wanted state impossible.
    fn plan(&self, host: &dyn Look) -> Result<Option<Self::Plan>, Fail>;

    /// What the result says when nothing must change.
    ///
    /// # Errors
    /// What can't be read.
    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged())
    }

    /// What the result says in check mode for this plan.
    ///
    /// # Errors
    /// What can't be read.
    fn predicted(&self, _plan: &Self::Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::changed())
    }

    /// Before and after of this plan.
    fn diff(&self, _plan: &Self::Plan) -> Vec<Diff> {
        Vec::new()
    }

    /// The same for a module that has to look again for it.
    ///
    /// # Errors
    /// What can't be read.
    fn show(&self, plan: &Self::Plan, _host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        Ok(self.diff(plan))
    }

    /// Makes the change. May look again, and says what really happened.
    ///
    /// # Errors
    /// What went wrong.
    fn apply(&self, plan: Self::Plan, host: &mut dyn Touch) -> Result<Outcome, Fail>;
}

/// The arguments of a module that runs on the controller alone; the engine does its work.
pub trait Control: DeserializeOwned + JsonSchema {
    /// What it supports.
    const SUPPORT: Support = Support::NO_DIFF;
    /// See [`Module::EXAMPLES`].
    const EXAMPLES: &'static str;
    /// See [`Module::RETURNS`].
    const RETURNS: &'static str = "";
    /// See [`Module::FREE_FORM`].
    const FREE_FORM: Option<&'static str> = None;
    /// See [`Module::OPEN`].
    const OPEN: bool = false;
}

/// Where a module runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// On the host.
    Host,
    /// On the host, with a controller half that prepares or receives files (`copy`, `template`, `fetch`, `script`).
    Both,
    /// On the controller alone (`debug`, `set_fact`).
    Controller,
}

/// How to run a module: arguments, host, check mode, diff wanted.
type Exec = fn(&Map, &mut dyn Touch, bool, bool) -> Result<Outcome, Fail>;

/// A module's line in the registry.
pub struct Entry {
    /// Its name without a collection.
    pub name: &'static str,
    /// The collections it is known under (`ansible.builtin`), with other short names as `collection.name`.
    pub aliases: &'static [&'static str],
    /// Its family: the folder it is in.
    pub family: &'static str,
    /// Where it runs.
    pub execution: Execution,
    /// What it supports.
    pub support: Support,
    /// See [`Module::FREE_FORM`].
    pub free_form: Option<&'static str>,
    /// See [`Module::OPEN`].
    pub open: bool,
    /// Runs it; none for controller-only modules.
    pub exec: Option<Exec>,
    /// What only the controller asks; a worker with it would be twice as large.
    #[cfg(feature = "controller")]
    pub manual: Manual,
}

impl Entry {
    /// The entry of a module that runs on hosts.
    #[must_use]
    pub const fn of<M: Module>(
        name: &'static str,
        family: &'static str,
        aliases: &'static [&'static str],
        execution: Execution,
    ) -> Entry {
        Entry {
            name,
            aliases,
            family,
            execution,
            support: M::SUPPORT,
            free_form: M::FREE_FORM,
            open: M::OPEN,
            exec: Some(run::<M>),
            #[cfg(feature = "controller")]
            manual: Manual::of::<M>(M::EXAMPLES, M::RETURNS),
        }
    }

    /// The entry of a module that runs on the controller alone.
    #[must_use]
    pub const fn control<C: Control>(
        name: &'static str,
        family: &'static str,
        aliases: &'static [&'static str],
    ) -> Entry {
        Entry {
            name,
            aliases,
            family,
            execution: Execution::Controller,
            support: C::SUPPORT,
            free_form: C::FREE_FORM,
            open: C::OPEN,
            exec: None,
            #[cfg(feature = "controller")]
            manual: Manual::of::<C>(C::EXAMPLES, C::RETURNS),
        }
    }
}

/// Check mode exists once, here: it ends before `apply`.
pub(super) fn run<M: Module>(
    args: &Map,
    host: &mut dyn Touch,
    check: bool,
    diff: bool,
) -> Result<Outcome, Fail> {
    let module: M = decode(args).map_err(Fail::from)?;
    let Some(plan) = module.plan(host.as_look())? else {
        return module.unchanged(host.as_look());
    };
    let diffs = if diff { module.show(&plan, host.as_look())? } else { Vec::new() };
    let mut outcome =
        if check { module.predicted(&plan, host.as_look())? } else { module.apply(plan, host)? };
    // What turned out to be so already has nothing to show.
    if outcome.diff.is_empty() && outcome.changed {
        outcome.diff = diffs;
    }
    Ok(outcome)
}
