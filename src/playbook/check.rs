//! All that can be known to be wrong before the first connection: arguments, handlers, files, templates.
//!
//! Looks at what was loaded, and at what literal includes will bring in. Renders nothing: the command line gives the
//! template engine as a [`TemplateCheck`].

mod arguments;
mod files;
mod handlers;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Severity, Span};
use crate::modules::api::ArgumentDoc;
use crate::yaml::{Kind, Node, NodeMap, Tag};

use super::loader::{Loader, RoleRequest};
use super::{Action, Block, Common, Item, Play, Playbook, Role, Task, keywords};

/// Looks at single templates. The nodes are texts.
pub trait TemplateCheck {
    /// What is wrong with a text that holds templates.
    fn template(&self, node: &Node) -> Vec<Diagnostic>;
    /// What is wrong with an expression without braces (`when`).
    fn condition(&self, node: &Node) -> Vec<Diagnostic>;
    /// That there is no such lookup (`with_…`), if there is none.
    fn lookup(&self, _name: &str) -> Option<Diagnostic> {
        None
    }
    /// What is wrong with a file that the module `template` renders.
    fn file(&self, _path: &Path) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// How far to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What runs unless a host fails: mistakes in it keep the run from starting.
    Certain,
    /// Also what is included under a condition or in a loop; mistakes in it are warnings, as it may never run.
    Possible,
}

/// Everything that is wrong with a playbook, each mistake once.
#[must_use]
pub fn check(
    playbook: &Playbook,
    loader: &Loader,
    templates: &dyn TemplateCheck,
    reach: Reach,
) -> Vec<Diagnostic> {
    let mut makes_files = false;
    let mut seen = HashSet::new();
    let mut docs = HashMap::new();
    let mut rendered = HashSet::new();
    let mut all: Vec<Diagnostic> = Vec::new();
    for play in &playbook.plays {
        let mut checker = Checker {
            loader,
            templates,
            play,
            reach,
            makes_files,
            absent: Vec::new(),
            seen: std::mem::take(&mut seen),
            rendered: std::mem::take(&mut rendered),
            docs: std::mem::take(&mut docs),
            followed: HashSet::new(),
            handlers: handlers::Known::default(),
            quiet: false,
            notified: Vec::new(),
            found: Vec::new(),
        };
        checker.play();
        seen = checker.seen;
        docs = checker.docs;
        makes_files = checker.makes_files;
        rendered = checker.rendered;
        for diagnostic in checker.found {
            if !all.contains(&diagnostic) {
                all.push(diagnostic);
            }
        }
    }
    all
}

/// The check of one play.
struct Checker<'a> {
    loader: &'a Loader,
    templates: &'a dyn TemplateCheck,
    play: &'a Play,
    reach: Reach,
    /// Some task may write files on this machine: one that is missing now may be there later.
    makes_files: bool,
    /// Files that are not there.
    absent: Vec<Diagnostic>,
    /// Texts that were looked at: inherited ones stand in many tasks.
    seen: HashSet<Span>,
    /// Files for `template` that were looked at.
    rendered: HashSet<PathBuf>,
    docs: HashMap<&'static str, Arc<Vec<ArgumentDoc>>>,
    /// Includes that were followed: the file or role, and the including task's place.
    followed: HashSet<(PathBuf, Span)>,
    handlers: handlers::Known,
    /// Only search for handlers: what is looked at may never run.
    quiet: bool,
    /// Names in `notify`, looked up when all handlers are known.
    notified: Vec<(Node, Option<Arc<Role>>, Severity)>,
    found: Vec<Diagnostic>,
}

/// How sure it is that something runs.
#[derive(Clone, Copy)]
struct Sure(bool);

impl Sure {
    fn severity(self) -> Severity {
        if self.0 { Severity::Error } else { Severity::Warning }
    }
}

impl Checker<'_> {
    fn play(&mut self) {
        let play = self.play;
        let nodes = [
            Some(&play.hosts),
            play.gather_facts.as_ref(),
            play.gather_subset.as_ref(),
            play.max_fail_percentage.as_ref(),
            play.strategy.as_ref(),
            play.order.as_ref(),
        ];
        nodes
            .into_iter()
            .flatten()
            .chain(&play.vars_files)
            .chain(&play.serial)
            .for_each(|node| self.template(node));
        self.common(&play.common);
        self.vars_files();
        for role in play.roles.iter().chain(&play.public_roles) {
            self.role(role);
        }
        self.handlers.add(&play.handlers);
        for items in [&play.pre_tasks, &play.tasks, &play.post_tasks, &play.handlers] {
            self.items(items, Sure(true));
        }
        self.check_notified();
        for mut wrong in std::mem::take(&mut self.absent) {
            if self.makes_files {
                wrong.severity = Severity::Warning;
            }
            self.found.push(wrong);
        }
    }

    fn role(&mut self, role: &Role) {
        for vars in [&role.defaults, &role.vars, &role.params] {
            self.map(vars);
        }
    }

    fn items(&mut self, items: &[Item], sure: Sure) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task, sure),
                Item::Block(block) => self.block(block, sure),
            }
        }
    }

    fn block(&mut self, block: &Block, sure: Sure) {
        if !self.quiet {
            block.role.iter().for_each(|role| self.role(role));
            self.common(&block.common);
        }
        // What fails in a block with `rescue` may be meant to fail.
        let guarded = Sure(sure.0 && block.rescue.is_empty());
        self.items(&block.body, guarded);
        self.items(&block.rescue, Sure(false));
        self.items(&block.always, sure);
    }

    fn task(&mut self, task: &Task, sure: Sure) {
        match &task.action {
            Action::IncludeTasks => self.follow_tasks(task, sure),
            Action::IncludeRole => self.follow_role(task, sure),
            _ => {}
        }
        self.makes_files |= files::writes_here(task, self.play);
        if self.quiet {
            return;
        }
        self.common(&task.common);
        self.task_templates(task);
        for name in &task.notify {
            self.notified.push((name.clone(), task.role.clone(), sure.severity()));
        }
        if let Action::Module(entry) = &task.action {
            let own = self.found.len();
            self.arguments(task, entry);
            self.lower(own, sure);
            self.task_files(task, entry, sure);
        }
    }

    /// What was found since is a warning where it may never run.
    fn lower(&mut self, since: usize, sure: Sure) {
        if !sure.0 {
            for diagnostic in self.found.iter_mut().skip(since) {
                diagnostic.severity = Severity::Warning;
            }
        }
    }

    fn task_templates(&mut self, task: &Task) {
        for list in [&task.until, &task.changed_when, &task.failed_when] {
            list.iter().flatten().for_each(|node| self.condition(node));
        }
        task.loop_control.break_when.iter().for_each(|node| self.condition(node));
        if let Some(repeat) = &task.repeat
            && let Some(unknown) = repeat.lookup.as_ref().and_then(|name| self.templates.lookup(name))
        {
            self.found.push(unknown.at(repeat.span));
        }
        let control = &task.loop_control;
        let others = [
            task.repeat.as_ref().map(|repeat| &repeat.over),
            task.args.whole.as_ref(),
            task.retries.as_ref(),
            task.delay.as_ref(),
            task.async_.as_ref(),
            task.poll.as_ref(),
            control.label.as_ref(),
            control.pause.as_ref(),
            control.extended.as_ref(),
        ];
        others.into_iter().flatten().for_each(|node| self.template(node));
        let expression = match &task.action {
            Action::Module(entry) => match entry.name {
                "assert" => Some("that"),
                "debug" => Some("var"),
                _ => None,
            },
            _ => None,
        };
        for (name, (_, node)) in &*task.args.named {
            if Some(&**name) == expression && !node.has_template() {
                super::inherit::items(node).iter().for_each(|node| self.condition(node));
            } else {
                self.template(node);
            }
        }
    }

    fn common(&mut self, common: &Common) {
        common.when.iter().for_each(|node| self.condition(node));
        self.map(&common.vars);
        self.map(&common.params);
        for list in [&common.tags, &common.environment, &common.module_defaults, &common.notify] {
            list.iter().for_each(|node| self.template(node));
        }
        let singles = [
            &common.name,
            &common.become_,
            &common.become_user,
            &common.become_method,
            &common.become_flags,
            &common.become_exe,
            &common.connection,
            &common.remote_user,
            &common.port,
            &common.delegate_to,
            &common.delegate_facts,
            &common.run_once,
            &common.ignore_errors,
            &common.ignore_unreachable,
            &common.any_errors_fatal,
            &common.check_mode,
            &common.diff,
            &common.no_log,
            &common.timeout,
            &common.throttle,
        ];
        singles.into_iter().flatten().for_each(|node| self.template(node));
    }

    fn map(&mut self, map: &NodeMap) {
        map.values().for_each(|(_, node)| self.template(node));
    }

    fn template(&mut self, node: &Node) {
        match &node.kind {
            _ if node.tag == Some(Tag::Unsafe) => {}
            Kind::Seq(items) => items.iter().for_each(|item| self.template(item)),
            Kind::Map(map) => self.map(map),
            Kind::Str(_) if node.has_template() && self.seen.insert(node.span) => {
                self.found.extend(self.templates.template(node));
            }
            _ => {}
        }
    }

    fn condition(&mut self, node: &Node) {
        if node.as_str().is_some() && self.seen.insert(node.span) {
            self.found.extend(self.templates.condition(node));
        }
    }

    /// Whether to look into what an include brings, and how sure it is that it does.
    fn includes(&self, task: &Task, sure: Sure) -> Option<Sure> {
        let always = task.common.when.is_empty() && task.repeat.is_none() && task.args.whole.is_none();
        let inside = Sure(sure.0 && always);
        (!self.quiet && (inside.0 || self.reach == Reach::Possible)).then_some(inside)
    }

    fn follow_tasks(&mut self, task: &Task, sure: Sure) {
        let Some(name) = literal(&task.args.named, "file") else {
            self.handlers.open = true;
            return;
        };
        let path = match self.loader.find_tasks_file(name, task) {
            Ok(path) => path,
            Err(mut missing) => {
                self.handlers.open = true;
                missing.severity = sure.severity();
                self.found.extend((!self.quiet).then_some(missing));
                return;
            }
        };
        if !self.followed.insert((path.clone(), task.span)) || self.followed.len() > 10_000 {
            return;
        }
        let inside = self.includes(task, sure);
        match self.loader.include_tasks(&path, task, &NodeMap::new(), task.handler) {
            Ok(items) => {
                if task.handler {
                    self.handlers.add(&items);
                }
                self.follow(&items, inside);
            }
            Err(mistakes) => self.not_loaded(mistakes, inside),
        }
    }

    fn follow_role(&mut self, task: &Task, sure: Sure) {
        let Some(name) = literal(&task.args.named, "name") else {
            self.handlers.open = true;
            return;
        };
        let from = |key: &str| literal(&task.args.named, key).map(Into::into);
        let request = RoleRequest {
            name: name.into(),
            tasks_from: from("tasks_from"),
            vars_from: from("vars_from"),
            defaults_from: from("defaults_from"),
            handlers_from: from("handlers_from"),
            ..RoleRequest::default()
        };
        let from_template = ["tasks_from", "vars_from", "defaults_from", "handlers_from"]
            .iter()
            .any(|key| task.args.named.get(*key).is_some_and(|(_, node)| node.has_template()));
        if from_template {
            self.handlers.open = true;
            return;
        }
        if !self.followed.insert((PathBuf::from(name), task.span)) || self.followed.len() > 10_000 {
            return;
        }
        let inside = self.includes(task, sure);
        match self.loader.include_role(&request, task, &self.play.dir) {
            Ok(role) => {
                self.handlers.add(&role.handlers);
                self.follow(&role.tasks, inside);
            }
            Err(mistakes) => {
                let missing = mistakes.iter().any(|it| it.code == crate::diag::code::MISSING_ROLE);
                self.not_loaded(mistakes, if missing { Some(sure) } else { inside });
            }
        }
    }

    /// The content of an include. Where it is not to be checked it is still searched for handlers of roles.
    fn follow(&mut self, items: &[Item], inside: Option<Sure>) {
        self.handlers.add_roles(items);
        match inside {
            Some(sure) => self.items(items, sure),
            None => {
                let outer = std::mem::replace(&mut self.quiet, true);
                self.items(items, Sure(false));
                self.quiet = outer;
            }
        }
    }

    fn not_loaded(&mut self, mistakes: Vec<Diagnostic>, inside: Option<Sure>) {
        self.handlers.open = true;
        let Some(sure) = inside.filter(|_| !self.quiet) else { return };
        let since = self.found.len();
        self.found.extend(mistakes);
        self.lower(since, sure);
    }
}

/// The text of an argument that is no template.
fn literal<'a>(named: &'a NodeMap, key: &str) -> Option<&'a str> {
    let (_, node) = named.get(key)?;
    node.as_str().filter(|_| !node.has_template() && node.tag.is_none())
}

/// Whether the argument is given and not literally false.
fn may_be_true(named: &NodeMap, key: &str) -> bool {
    named.get(key).is_some_and(|(_, node)| keywords::literal_bool(node) != Some(false))
}
