//! From the list of a playbook to plays, those of imported playbooks among them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::yaml::{Node, NodeMap};

use super::inherit::{inherit, is_variable_name, items, over, vars, words};
use super::keywords::{self, Place};
use super::reader::{Reader, Scene};
use super::resolve::short;
use super::{Common, Item, Play, Prompt, Role, paths};

/// What the `import_playbook`s around a play give to it.
#[derive(Clone, Debug, Default)]
struct Importing {
    when: Vec<Node>,
    tags: Vec<Node>,
    vars: Arc<NodeMap>,
    files: Vec<PathBuf>,
}

const STRATEGIES: &[&str] = &["linear", "free", "host_pinned"];

impl Reader<'_> {
    /// The plays of a playbook and of those it imports.
    pub(super) fn playbook(&mut self, path: &Path) -> Vec<Arc<Play>> {
        if !self.loader.has_read(path) && !path.is_file() {
            let wrong = format!("there is no playbook {}", path.display());
            self.diagnostics.push(Diagnostic::error(code::MISSING_PLAYBOOK, wrong));
            return Vec::new();
        }
        self.plays(path, &Importing::default())
    }

    fn plays(&mut self, path: &Path, importing: &Importing) -> Vec<Arc<Play>> {
        let Some(node) = self.file(path) else { return Vec::new() };
        let dir = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        let mut importing = importing.clone();
        importing.files.push(path.to_path_buf());
        let Some(entries) = node.as_seq().filter(|entries| !entries.is_empty()) else {
            let wrong = match node.as_seq() {
                Some(_) => "a playbook needs at least one play".to_owned(),
                None if node.is_null() => format!("{} is empty: there is nothing to do", path.display()),
                None => format!("a playbook is a list of plays, not {}", keywords::describe(&node)),
            };
            let help = "start each play with `- hosts: …`";
            self.diagnostics.push(Diagnostic::error(code::NOT_A_PLAYBOOK, wrong).at(node.span).help(help));
            return Vec::new();
        };
        let mut plays = Vec::new();
        for entry in entries {
            let Some(map) = entry.as_map() else {
                let wrong = format!("a play must be a mapping, not {}", keywords::describe(entry));
                self.diagnostics.push(Diagnostic::error(code::NOT_A_PLAYBOOK, wrong).at(entry.span));
                continue;
            };
            if let Some(key) = map.keys().find(|key| short(key) == "import_playbook").cloned() {
                plays.extend(self.import_playbook(map, &key, &dir, &importing));
            } else if let Some(key) = task_key(map) {
                let wrong = format!("a task (`{key}`) stands where a play is expected");
                let wrong = Diagnostic::error(code::NOT_A_PLAYBOOK, wrong).at(entry.span);
                self.diagnostics
                    .push(wrong.help("put it under `tasks` of a play, or include its file from one"));
            } else {
                plays.push(Arc::new(self.play(map, entry.span, &dir, &importing)));
            }
        }
        plays
    }

    fn import_playbook(&mut self, map: &NodeMap, key: &str, dir: &Path, outer: &Importing) -> Vec<Arc<Play>> {
        let place = Place::ImportPlaybook;
        for (word, (span, value)) in map.iter().filter(|(word, _)| &***word != key) {
            if keywords::is(word, place) {
                let one = NodeMap::from_iter([(word.clone(), (*span, value.clone()))]);
                keywords::check(&one, place, &[], &mut self.diagnostics);
            } else if keywords::is(word, Place::Block) && word.as_ref() != "block" {
                let wrong = Diagnostic::warning(
                    code::MISPLACED_KEYWORD,
                    format!("`{word}` does nothing beside `{key}`"),
                );
                self.diagnostics.push(wrong.at(*span).help("set it in the plays of that playbook"));
            } else {
                self.diagnostics.push(keywords::unknown(word, *span, place));
            }
        }
        let Some((_, node)) = map.get(key) else { return Vec::new() };
        let mut inner = outer.clone();
        let own = |word: &str| map.get(word).map(|(_, node)| node);
        inner.when.extend(own("when").map(items).unwrap_or_default());
        inner.tags.extend(own("tags").map(words).unwrap_or_default());
        if let Some(given) = own("vars") {
            // The vars of the outermost import win, as those of an import win over the play's.
            let given = Arc::new(vars(given, &mut self.diagnostics));
            inner.vars = over(&given, NodeMap::clone(&outer.vars));
        }
        let scene = Scene { play_dir: dir.to_path_buf(), play_vars: inner.vars.clone(), ..Scene::default() };
        let Some(name) = self.name(node, &scene, &Common::default()) else { return Vec::new() };
        let Some(path) = self.find_playbook(&name, dir) else {
            let wrong = Diagnostic::error(code::MISSING_PLAYBOOK, format!("there is no playbook `{name}`"));
            self.diagnostics.push(wrong.at(node.span).note(format!("looked in {}", dir.display())));
            return Vec::new();
        };
        if inner.files.contains(&path) {
            let shown: Vec<String> =
                inner.files.iter().chain([&path]).map(|file| file.display().to_string()).collect();
            let wrong =
                Diagnostic::error(code::IMPORT_CYCLE, "these playbooks import each other without end");
            self.diagnostics.push(wrong.at(node.span).note(shown.join(" imports ")));
            return Vec::new();
        }
        self.plays(&path, &inner)
    }

    /// A path, or the full name of a collection's playbook.
    fn find_playbook(&self, name: &str, dir: &Path) -> Option<PathBuf> {
        let path = paths::join(dir, name);
        if path.is_file() {
            return Some(path);
        }
        paths::playbook(name, dir, &self.loader.options.collections_path)
    }

    fn play(&mut self, map: &NodeMap, span: Span, dir: &Path, importing: &Importing) -> Play {
        keywords::check(map, Place::Play, &[], &mut self.diagnostics);
        let own = |word: &str| map.get(word).map(|(_, node)| node).filter(|node| !node.is_null());
        let around =
            Common { when: importing.when.clone(), tags: importing.tags.clone(), ..Common::default() };
        let mut common = inherit(map, &around, &mut self.diagnostics);
        common.vars = over(&common.vars, NodeMap::clone(&importing.vars));
        if let Some(user) = own("user") {
            if common.remote_user.is_some() {
                let wrong =
                    Diagnostic::error(code::BAD_KEYWORD, "`user` and `remote_user` are the same: give one");
                self.diagnostics.push(wrong.at(user.span));
            }
            common.remote_user = Some(user.clone());
        }
        let hosts = self.hosts(map, span);
        self.strategy(own("strategy"));
        let passed = Arc::new(Common { name: None, vars: Arc::default(), ..common.clone() });
        let scene = Scene {
            play_dir: dir.to_path_buf(),
            dir: dir.to_path_buf(),
            play_vars: common.vars.clone(),
            files: importing.files.clone(),
            ..Scene::default()
        };
        let content = self.content(map, &scene, &passed);
        Play {
            span,
            dir: dir.to_path_buf(),
            hosts,
            common: Arc::new(common),
            vars_files: self.vars_files(own("vars_files")),
            vars_prompt: own("vars_prompt").map(|node| self.prompts(node)).unwrap_or_default(),
            gather_facts: own("gather_facts").cloned(),
            gather_subset: own("gather_subset").cloned(),
            gather_timeout: own("gather_timeout").cloned(),
            fact_path: own("fact_path").cloned(),
            serial: own("serial").map(items).unwrap_or_default(),
            max_fail_percentage: own("max_fail_percentage").cloned(),
            strategy: own("strategy").cloned(),
            order: own("order").cloned(),
            force_handlers: own("force_handlers").cloned(),
            roles: content.roles,
            pre_tasks: content.pre_tasks,
            tasks: content.tasks,
            post_tasks: content.post_tasks,
            handlers: content.handlers,
            public_roles: std::mem::take(&mut self.public_roles),
        }
    }

    fn content(&mut self, map: &NodeMap, scene: &Scene, common: &Arc<Common>) -> Content {
        let mut content = Content::default();
        let mut role_handlers = Vec::new();
        let mut role_blocks = Vec::new();
        if let Some((_, entries)) = map.get("roles") {
            for (using, common) in self.role_entries(entries, common, scene) {
                let Some(loaded) = self.role(&using, &common, scene) else { continue };
                content.roles.extend(loaded.all);
                role_blocks.extend(loaded.blocks);
                role_handlers.extend(loaded.handlers);
                self.public_roles.extend(loaded.public);
            }
        }
        let list = |reader: &mut Self, key: &str, scene: &Scene, common: &Arc<Common>| match map.get(key) {
            Some((_, node)) => reader.tasks(node, scene, common),
            None => Vec::new(),
        };
        // A handler runs because a task ran: the condition of an imported playbook is not asked again.
        let unconditional = Arc::new(Common { when: Vec::new(), ..Common::clone(common) });
        let own_handlers = list(self, "handlers", &Scene { handlers: true, ..scene.clone() }, &unconditional);
        content.pre_tasks = list(self, "pre_tasks", scene, common);
        content.tasks = role_blocks;
        content.tasks.extend(list(self, "tasks", scene, common));
        content.post_tasks = list(self, "post_tasks", scene, common);
        content.handlers = role_handlers;
        content.handlers.extend(own_handlers);
        content.handlers.append(&mut self.handlers);
        content
    }

    fn hosts(&mut self, map: &NodeMap, span: Span) -> Node {
        let Some((at, hosts)) = map.get("hosts") else {
            let wrong = Diagnostic::error(code::MISSING_KEYWORD, "a play needs `hosts`").at(span);
            self.diagnostics.push(wrong);
            return Node::new(crate::yaml::Kind::Null, span);
        };
        let empty = hosts.is_null()
            || hosts.as_str().is_some_and(|text| text.trim().is_empty())
            || hosts.as_seq().is_some_and(|items| items.is_empty() || items.iter().any(Node::is_null));
        if empty {
            let wrong = Diagnostic::error(code::MISSING_KEYWORD, "`hosts` names no host").at(*at);
            self.diagnostics.push(wrong.help("`all` stands for every host of the inventory"));
        }
        hosts.clone()
    }

    fn strategy(&mut self, node: Option<&Node>) {
        let Some(text) = node.and_then(Node::as_str) else { return };
        let name = short(text);
        if !STRATEGIES.contains(&name)
            && let Some(node) = node
        {
            let wrong = Diagnostic::error(code::UNKNOWN_STRATEGY, format!("there is no strategy `{text}`"));
            let wrong = wrong.at(node.span).note(format!("there are {}", STRATEGIES.join(", ")));
            self.diagnostics.push(wrong.suggest(name, STRATEGIES.iter().copied()));
        }
    }

    fn vars_files(&mut self, node: Option<&Node>) -> Vec<Node> {
        let all = node.map(items).unwrap_or_default();
        for entry in &all {
            let paths = items(entry);
            if let Some(wrong) = paths.iter().find(|path| path.as_str().is_none()) {
                let text = format!("`vars_files` takes paths, not {}", keywords::describe(wrong));
                self.diagnostics.push(Diagnostic::error(code::BAD_KEYWORD, text).at(wrong.span));
            }
        }
        all
    }

    fn prompts(&mut self, node: &Node) -> Vec<Prompt> {
        items(node).iter().filter_map(|entry| self.prompt(entry)).collect()
    }

    fn prompt(&mut self, entry: &Node) -> Option<Prompt> {
        const KNOWN: &[&str] =
            &["name", "prompt", "default", "private", "confirm", "encrypt", "salt", "salt_size", "unsafe"];
        let map = entry.as_map()?;
        for (key, (span, _)) in map.iter().filter(|(key, _)| !KNOWN.contains(&&***key)) {
            let wrong =
                Diagnostic::error(code::UNKNOWN_KEYWORD, format!("a prompt has no `{key}`")).at(*span);
            self.diagnostics.push(wrong.suggest(key, KNOWN.iter().copied()));
        }
        let Some(name) = map.get("name").and_then(|(_, node)| node.as_str()) else {
            let wrong = Diagnostic::error(code::MISSING_KEYWORD, "a prompt needs the `name` of a variable");
            self.diagnostics.push(wrong.at(entry.span));
            return None;
        };
        if !is_variable_name(name) {
            let wrong =
                Diagnostic::error(code::BAD_VARIABLE_NAME, format!("`{name}` can't be a variable's name"));
            self.diagnostics.push(wrong.at(entry.span));
        }
        let own = |key: &str| map.get(key).map(|(_, node)| node).filter(|node| !node.is_null());
        let text = |key: &str| own(key).map(|node| node.to_value().to_string().into());
        let flag = |key: &str, default: bool| own(key).and_then(keywords::literal_bool).unwrap_or(default);
        Some(Prompt {
            name: name.into(),
            prompt: own("prompt").cloned(),
            default: own("default").cloned(),
            private: flag("private", true),
            confirm: flag("confirm", false),
            encrypt: text("encrypt"),
            salt: text("salt"),
            salt_size: own("salt_size").and_then(|node| node.to_value().to_string().parse().ok()),
            unsafe_: flag("unsafe", false),
            span: entry.span,
        })
    }
}

/// What makes an entry of a playbook a task: it has nothing of a play, and something that only tasks and blocks have.
fn task_key(map: &NodeMap) -> Option<&str> {
    let of_plays = ["hosts", "tasks", "roles", "pre_tasks", "post_tasks", "handlers", "gather_facts"];
    if of_plays.iter().any(|key| map.contains_key(*key)) {
        return None;
    }
    let mut others = map.keys().map(|key| &**key).filter(|key| !keywords::is(key, Place::Play));
    others.find(|key| {
        keywords::find(key).is_none() || keywords::is(key, Place::Block) || keywords::is(key, Place::Task)
    })
}

/// The lists of a play.
#[derive(Default)]
struct Content {
    roles: Vec<Arc<Role>>,
    pre_tasks: Vec<Item>,
    tasks: Vec<Item>,
    post_tasks: Vec<Item>,
    handlers: Vec<Item>,
}
