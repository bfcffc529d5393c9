//! What a playbook says, once read. Every task carries its effective keywords: inheritance is done here, at loading,
//! so nothing that runs tasks has to walk up parents.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::Span;
use crate::modules::api::Entry;
use crate::value::Str;
use crate::yaml::{Node, NodeMap};

/// A playbook with its imports in place.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// The file.
    pub path: PathBuf,
    /// The plays in order, those of imported playbooks among them.
    pub plays: Vec<Arc<Play>>,
}

/// A play.
#[derive(Clone, Debug)]
pub struct Play {
    /// Where it stands.
    pub span: Span,
    /// The folder of its playbook (`playbook_dir` is that of the first playbook; files are searched here).
    pub dir: PathBuf,
    /// `hosts`.
    pub hosts: Node,
    /// The keywords that tasks inherit. `name`, `vars` and `tags` among them.
    pub common: Arc<Common>,
    /// `vars_files`: each a path or a list of paths of which the first that exists is read.
    pub vars_files: Vec<Node>,
    /// `vars_prompt`.
    pub vars_prompt: Vec<Prompt>,
    /// `gather_facts`.
    pub gather_facts: Option<Node>,
    /// `gather_subset`.
    pub gather_subset: Option<Node>,
    /// `gather_timeout`.
    pub gather_timeout: Option<Node>,
    /// `fact_path`.
    pub fact_path: Option<Node>,
    /// `serial`, one entry a batch.
    pub serial: Vec<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `strategy`.
    pub strategy: Option<Node>,
    /// `order`.
    pub order: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// `roles`, in order, with their dependencies in front of each.
    pub roles: Vec<Arc<Role>>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// The tasks of `roles`, then `tasks`.
    pub tasks: Vec<Item>,
    /// `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// Handlers in the order in which they run: those of roles (static ones) first, then the play's.
    pub handlers: Vec<Item>,
    /// Every role whose defaults and vars the whole play sees (`roles:` and `import_role`), in order of loading.
    pub public_roles: Vec<Arc<Role>>,
}

/// An entry of `vars_prompt`.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The variable.
    pub name: Str,
    /// What to ask; default: the name.
    pub prompt: Option<Node>,
    /// The default.
    pub default: Option<Node>,
    /// Hide what is typed (default yes).
    pub private: bool,
    /// Ask twice.
    pub confirm: bool,
    /// Hash it with this (`sha512_crypt`).
    pub encrypt: Option<Str>,
    /// Salt for `encrypt`.
    pub salt: Option<Str>,
    /// Length of a random salt.
    pub salt_size: Option<u32>,
    /// Take what is typed as it is, never as a template (it never is here).
    pub unsafe_: bool,
    /// Where it stands.
    pub span: Span,
}

/// An element of a list of tasks.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task, an include or a `meta` among them.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
}

/// A block. The keywords it gives its tasks are already in them.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it stands.
    pub span: Span,
    /// Its effective keywords.
    pub common: Arc<Common>,
    /// The tasks.
    pub body: Vec<Item>,
    /// Run when one of them failed.
    pub rescue: Vec<Item>,
    /// Run whatever happened.
    pub always: Vec<Item>,
    /// This block is what a role's tasks are wrapped in: `meta: end_role`, "run once" and the end of a role are seen
    /// by it.
    pub role: Option<Arc<Role>>,
}

/// Keywords that plays, roles, blocks and tasks share, after inheritance.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// `name`; never inherited.
    pub name: Option<Node>,
    /// `when`: those of the parents first. All must hold.
    pub when: Vec<Node>,
    /// `vars` of blocks and of the task, nearer ones having replaced farther ones. The play's are not in here.
    pub vars: Arc<NodeMap>,
    /// `vars` of the `include_tasks` and `include_role` around it: unlike `vars` they win over `set_fact`.
    pub params: Arc<NodeMap>,
    /// `notify` of the block around it: for tasks without their own (`Task::notify` is the effective one).
    pub notify: Vec<Node>,
    /// `tags` of the task and of all around it.
    pub tags: Vec<Node>,
    /// `environment`, the play's first; later ones win.
    pub environment: Vec<Node>,
    /// `module_defaults`, the play's first; later ones win.
    pub module_defaults: Vec<Node>,
    /// `become`.
    pub become_: Option<Node>,
    /// `become_user`.
    pub become_user: Option<Node>,
    /// `become_method`.
    pub become_method: Option<Node>,
    /// `become_flags`.
    pub become_flags: Option<Node>,
    /// `become_exe`.
    pub become_exe: Option<Node>,
    /// `connection`.
    pub connection: Option<Node>,
    /// `remote_user`.
    pub remote_user: Option<Node>,
    /// `port`.
    pub port: Option<Node>,
    /// `delegate_to`.
    pub delegate_to: Option<Node>,
    /// `delegate_facts`.
    pub delegate_facts: Option<Node>,
    /// `run_once`.
    pub run_once: Option<Node>,
    /// `ignore_errors`.
    pub ignore_errors: Option<Node>,
    /// `ignore_unreachable`.
    pub ignore_unreachable: Option<Node>,
    /// `any_errors_fatal`.
    pub any_errors_fatal: Option<Node>,
    /// `check_mode`.
    pub check_mode: Option<Node>,
    /// `diff`.
    pub diff: Option<Node>,
    /// `no_log`.
    pub no_log: Option<Node>,
    /// `timeout` in seconds.
    pub timeout: Option<Node>,
    /// `throttle`.
    pub throttle: Option<Node>,
    /// `collections`.
    pub collections: Vec<Str>,
}

/// A task, an include among them.
#[derive(Clone, Debug)]
pub struct Task {
    /// Names it in the run; unique over all loaded files.
    pub id: u32,
    /// Where it stands.
    pub span: Span,
    /// The folder of its file.
    pub dir: PathBuf,
    /// Its effective keywords.
    pub common: Arc<Common>,
    /// The keywords of what it stands in, without its own: what the content of an include inherits.
    pub outer: Arc<Common>,
    /// What it does.
    pub action: Action,
    /// The module's name as written.
    pub action_name: Str,
    /// Where that name stands.
    pub action_span: Span,
    /// The arguments.
    pub args: Args,
    /// `loop` or `with_…`.
    pub repeat: Option<Loop>,
    /// `loop_control`.
    pub loop_control: LoopControl,
    /// `until`.
    pub until: Option<Vec<Node>>,
    /// `retries`.
    pub retries: Option<Node>,
    /// `delay` in seconds.
    pub delay: Option<Node>,
    /// `register`.
    pub register: Option<Str>,
    /// `changed_when`.
    pub changed_when: Option<Vec<Node>>,
    /// `failed_when`.
    pub failed_when: Option<Vec<Node>>,
    /// `notify`.
    pub notify: Vec<Node>,
    /// `listen`, on handlers.
    pub listen: Vec<Node>,
    /// `async` in seconds.
    pub async_: Option<Node>,
    /// `poll` in seconds.
    pub poll: Option<Node>,
    /// The role it belongs to.
    pub role: Option<Arc<Role>>,
    /// Whether it is in a list of handlers.
    pub handler: bool,
    /// An implicit task (gathering facts, flushing handlers) that `--list-tasks` leaves out.
    pub implicit: bool,
}

impl Task {
    /// A task with nothing but an action: no loop, no conditions, no arguments.
    #[must_use]
    pub fn blank(id: u32, span: Span, common: Arc<Common>, action: Action, name: impl Into<Str>) -> Task {
        Task {
            id,
            span,
            dir: PathBuf::new(),
            outer: Arc::clone(&common),
            common,
            action,
            action_name: name.into(),
            action_span: span,
            args: Args::default(),
            repeat: None,
            loop_control: LoopControl::default(),
            until: None,
            retries: None,
            delay: None,
            register: None,
            changed_when: None,
            failed_when: None,
            notify: Vec::new(),
            listen: Vec::new(),
            async_: None,
            poll: None,
            role: None,
            handler: false,
            implicit: false,
        }
    }
}

/// What a task does.
#[derive(Clone)]
pub enum Action {
    /// A module of the registry, controller-only ones among them.
    Module(&'static Entry),
    /// An executable in a `library/` folder: its path.
    Custom(PathBuf),
    /// `include_tasks`.
    IncludeTasks,
    /// `include_role` and `import_role` that can't be resolved at loading never exist: this is `include_role` only.
    IncludeRole,
    /// `meta`, with its word.
    Meta(Str),
    /// A name that holds a template (`action: "{{ x }}"`), resolved when it runs.
    Templated(Node),
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Action::Module(entry) => write!(f, "Module({})", entry.name),
            Action::Custom(path) => write!(f, "Custom({})", path.display()),
            Action::IncludeTasks => f.write_str("IncludeTasks"),
            Action::IncludeRole => f.write_str("IncludeRole"),
            Action::Meta(word) => write!(f, "Meta({word})"),
            Action::Templated(_) => f.write_str("Templated"),
        }
    }
}

/// A task's arguments.
#[derive(Clone, Debug, Default)]
pub struct Args {
    /// Named ones: from a mapping, from `key=value` text, and from `args:`. A free-form text is here too, under the
    /// module's own name for it (`_raw_params` for a templated action).
    pub named: Arc<NodeMap>,
    /// Arguments given as one template that yields a mapping (`args: "{{ x }}"`): under `named`.
    pub whole: Option<Node>,
}

/// A loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// `None` for `loop:`, else the lookup (`items` of `with_items`).
    pub lookup: Option<Str>,
    /// What to loop over.
    pub over: Node,
    /// Where the keyword stands.
    pub span: Span,
}

/// `loop_control`.
#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    /// `loop_var`; default `item`.
    pub loop_var: Option<Str>,
    /// `index_var`.
    pub index_var: Option<Str>,
    /// `label`.
    pub label: Option<Node>,
    /// `pause` in seconds.
    pub pause: Option<Node>,
    /// `extended`.
    pub extended: Option<Node>,
    /// `extended_allitems`.
    pub extended_allitems: Option<Node>,
    /// `break_when`.
    pub break_when: Vec<Node>,
}

/// A role as used in one place.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name as written, without a path.
    pub name: Str,
    /// `role_uuid`, made of its use, so that equal uses are equal.
    pub uuid: Str,
    /// Its folder.
    pub path: PathBuf,
    /// The collection it comes from.
    pub collection: Option<Str>,
    /// Where it is used.
    pub span: Span,
    /// `defaults/main.yml` (or `defaults_from`).
    pub defaults: Arc<NodeMap>,
    /// `vars/main.yml` (or `vars_from`).
    pub vars: Arc<NodeMap>,
    /// Parameters given where it is used, on top of those of the roles that led here.
    pub params: Arc<NodeMap>,
    /// Roles that it depends on, in order; their tasks run before its own.
    pub dependencies: Vec<Arc<Role>>,
    /// Names of the roles that led here, outermost first.
    pub parents: Vec<Str>,
    /// Folders of the roles that led here, outermost first.
    pub parent_paths: Vec<PathBuf>,
    /// Defaults and vars of the roles that led here, outermost first: their tasks' content sees them.
    pub parent_vars: Vec<(Arc<NodeMap>, Arc<NodeMap>)>,
    /// `allow_duplicates` of its meta, or of `include_role`.
    pub allow_duplicates: bool,
    /// The whole play sees its defaults and vars: it stands in `roles`, in `import_role`, or in an `include_role`
    /// with `public`.
    pub public: bool,
    /// What its `meta/argument_specs.yml` (or `argument_specs` of its meta) says: entry points and their options.
    pub argument_specs: Option<Node>,
    /// Its own tasks, without dependencies. Empty in `Task::role`, which is the role's identity: tasks inside of
    /// themselves would never be freed. What `Loader::include_role` returns has its dependencies' blocks in here.
    pub tasks: Vec<Item>,
    /// Its handlers. Empty in `Task::role`.
    pub handlers: Vec<Item>,
}
