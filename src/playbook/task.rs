//! From a mapping to a task. What stands in a list of tasks and is no block comes here; imports go on to `imports`.

use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::value::Str;
use crate::yaml::{Kind, Node, NodeMap};

use super::call::Call;
use super::inherit::{inherit, is_variable_name, items};
use super::keywords::{self, Place};
use super::reader::{Reader, Scene};
use super::resolve::Target;
use super::{Action, Common, Item, Task, loops};

/// The words of `meta`.
const META: &[&str] = &[
    "flush_handlers",
    "refresh_inventory",
    "noop",
    "clear_facts",
    "clear_host_errors",
    "end_play",
    "end_host",
    "end_batch",
    "end_role",
    "reset_connection",
];

/// The arguments of `include_tasks`, `include_role` and their static kin.
const INCLUDE_TASKS: &[&str] = &["file", "apply"];
const IMPORT_TASKS: &[&str] = &["file"];
const INCLUDE_ROLE: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "allow_duplicates",
    "public",
    "apply",
    "rolespec_validate",
];
const IMPORT_ROLE: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "allow_duplicates",
    "public",
    "rolespec_validate",
];

impl Reader<'_> {
    /// The task that a mapping stands for; for an import, all that it brings in.
    pub(super) fn task(
        &mut self,
        map: &NodeMap,
        span: Span,
        scene: &Scene,
        outer: &Arc<Common>,
    ) -> Vec<Item> {
        let place = if scene.handlers { Place::Handler } else { Place::Task };
        let mut common = inherit(map, outer, &mut self.diagnostics);
        let Some(mut call) = self.call(map, span, scene, &common.collections) else {
            self.check_words(map, place);
            return Vec::new();
        };
        let includes = matches!(call.target, Target::IncludeTasks | Target::IncludeRole);
        let place = if includes { Place::Include } else { place };
        let skip: Vec<&str> = call.key.as_deref().into_iter().chain(includes.then_some("listen")).collect();
        keywords::check(map, place, &skip, &mut self.diagnostics);
        if call.local {
            common.delegate_to = Some(Node::new(Kind::Str("localhost".into()), call.span));
        }
        let common = Arc::new(common);
        let action = match &call.target {
            Target::Module(action) => action.clone(),
            Target::Templated(name) => Action::Templated(name.clone()),
            Target::Meta => {
                let Some(word) = self.meta(&call) else { return Vec::new() };
                call.args = super::Args::default();
                Action::Meta(word)
            }
            Target::IncludeTasks => {
                self.check_arguments(&call, INCLUDE_TASKS, &["file"]);
                Action::IncludeTasks
            }
            Target::IncludeRole => {
                self.role_arguments(&mut call, INCLUDE_ROLE);
                if scene.handlers {
                    self.no_handler(&call);
                    return Vec::new();
                }
                Action::IncludeRole
            }
            Target::ImportTasks => {
                self.check_arguments(&call, IMPORT_TASKS, &["file"]);
                self.no_loop(map, &call);
                return self.import_tasks(&call, scene, &common);
            }
            Target::ImportRole => {
                self.role_arguments(&mut call, IMPORT_ROLE);
                self.no_loop(map, &call);
                if scene.handlers {
                    self.no_handler(&call);
                    return Vec::new();
                }
                return self.import_role(&call, scene, &common);
            }
            Target::Misplaced(why) => {
                self.diagnostics.push(Diagnostic::error(code::UNKNOWN_MODULE, *why).at(call.span));
                return Vec::new();
            }
        };
        let task = self.build(map, span, scene, (call, action), (common, outer.clone()));
        vec![Item::Task(Arc::new(task))]
    }

    fn build(
        &mut self,
        map: &NodeMap,
        span: Span,
        scene: &Scene,
        (call, action): (Call, Action),
        (common, outer): (Arc<Common>, Arc<Common>),
    ) -> Task {
        let own = |key: &str| map.get(key).map(|(_, node)| node).filter(|node| !node.is_null());
        Task {
            id: self.loader.id(),
            span,
            dir: scene.dir.clone(),
            notify: common.notify.clone(),
            outer,
            action,
            action_name: call.name,
            action_span: call.span,
            args: call.args,
            repeat: loops::repeat(map, &mut self.diagnostics),
            loop_control: loops::control(map, &mut self.diagnostics),
            until: own("until").map(items),
            retries: own("retries").cloned(),
            delay: own("delay").cloned(),
            register: own("register").and_then(|node| self.register(node)),
            changed_when: own("changed_when").map(items),
            failed_when: own("failed_when").map(items),
            listen: own("listen").map(items).unwrap_or_default(),
            async_: own("async").cloned(),
            poll: own("poll").cloned(),
            role: scene.role.clone(),
            handler: scene.handlers,
            implicit: false,
            common,
        }
    }

    /// Keywords of a task whose module is not known: what is neither is reported by the module's message.
    fn check_words(&mut self, map: &NodeMap, place: Place) {
        for (key, (span, value)) in map {
            if keywords::replaced(key).is_some() {
                self.diagnostics.push(keywords::unknown(key, *span, place));
            } else if keywords::is(key, place) {
                let one = NodeMap::from_iter([(key.clone(), (*span, value.clone()))]);
                keywords::check(&one, place, &[], &mut self.diagnostics);
            }
        }
    }

    fn register(&mut self, node: &Node) -> Option<Str> {
        let name = node.as_str().unwrap_or_default();
        if !is_variable_name(name) {
            let shown = node.to_value();
            let wrong =
                Diagnostic::error(code::BAD_VARIABLE_NAME, format!("`{shown}` can't be a variable's name"));
            self.diagnostics
                .push(wrong.at(node.span).help("use letters, digits and `_`, and no digit at the start"));
            return None;
        }
        Some(name.into())
    }

    fn meta(&mut self, call: &Call) -> Option<Str> {
        let given = call.args.named.get("_raw_params").map(|(_, node)| node);
        let word = given.and_then(Node::as_str).unwrap_or_default();
        if META.contains(&word) {
            return Some(word.into());
        }
        let place = given.map_or(call.span, |node| node.span);
        let wrong = Diagnostic::error(code::BAD_CHOICE, format!("`meta` does not know `{word}`")).at(place);
        let wrong = wrong.note(format!("it knows {}", META.join(", "))).suggest(word, META.iter().copied());
        self.diagnostics.push(wrong);
        None
    }

    fn check_arguments(&mut self, call: &Call, known: &[&str], needed: &[&str]) {
        for (name, (span, _)) in call.args.named.iter().filter(|(name, _)| !known.contains(&&***name)) {
            let wrong = format!("`{}` has no argument `{name}`", call.name);
            let wrong = Diagnostic::error(code::UNKNOWN_ARGUMENT, wrong).at(*span);
            let wrong = wrong.suggest(name, known.iter().copied());
            let help = "variables for what is included stand under `vars`";
            self.diagnostics.push(if wrong.help.is_none() { wrong.help(help) } else { wrong });
        }
        for name in needed {
            let given = call.args.named.get(*name).is_some_and(|(_, node)| !node.is_null());
            if !given && call.args.whole.is_none() {
                let wrong = format!("`{}` needs `{name}`", call.name);
                self.diagnostics.push(Diagnostic::error(code::MISSING_ARGUMENT, wrong).at(call.span));
            }
        }
    }

    /// `role` is another word for `name`.
    fn role_arguments(&mut self, call: &mut Call, known: &[&str]) {
        if let Some(role) = call.args.named.get("role").cloned()
            && !call.args.named.contains_key("name")
        {
            let named = Arc::make_mut(&mut call.args.named);
            named.shift_remove("role");
            named.insert("name".into(), role);
        }
        self.check_arguments(call, known, &["name"]);
    }

    fn no_loop(&mut self, map: &NodeMap, call: &Call) {
        if let Some(found) = loops::repeat(map, &mut Vec::new()) {
            let wrong = format!("`{}` can't be looped: it is done before the run", call.name);
            let instead = super::resolve::short(&call.name).replace("import", "include");
            let help = format!("use `{instead}`");
            self.diagnostics.push(Diagnostic::error(code::DYNAMIC_IMPORT, wrong).at(found.span).help(help));
        }
    }

    fn no_handler(&mut self, call: &Call) {
        let wrong = format!("`{}` can't be a handler", call.name);
        let help = "write it as a task, or notify the role's own handlers";
        self.diagnostics.push(Diagnostic::error(code::MISPLACED_KEYWORD, wrong).at(call.span).help(help));
    }
}
