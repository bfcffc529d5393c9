//! The lines of the keyword table, by name.

use super::{Keyword, Place, Places, Shape};
use Place::{Block, Handler, ImportPlaybook, Include, LoopControl, Play, Role, Task};

/// What the parts of a play pass on to their tasks.
const ALL: Places = Places::of(&[Play, Role, Block, Task, Handler]);
const EVERYWHERE: Places = Places::of(&[Play, Role, Block, Task, Handler, Include]);
const TASKS: Places = Places::of(&[Task, Handler]);
const TASKS_AND_INCLUDES: Places = Places::of(&[Task, Handler, Include]);
const DELEGATABLE: Places = Places::of(&[Role, Block, Task, Handler]);
const PLAY: Places = Places::of(&[Play]);
const BLOCK: Places = Places::of(&[Block]);
const LOOP: Places = Places::of(&[LoopControl]);

const fn line(name: &'static str, places: Places, shape: Shape, doc: &'static str) -> Keyword {
    Keyword { name, places, shape, fixed: false, doc }
}

const fn fixed(name: &'static str, places: Places, shape: Shape, doc: &'static str) -> Keyword {
    Keyword { name, places, shape, fixed: true, doc }
}

/// Every keyword, by name.
pub const KEYWORDS: &[Keyword] = &[
    line("action", TASKS, Shape::Any, "The module and its arguments, as text or as a mapping with `module`."),
    fixed(
        "always",
        BLOCK,
        Shape::Tasks,
        "Tasks that run after the block and its `rescue`, whatever happened.",
    ),
    line("any_errors_fatal", ALL, Shape::Bool, "A failure on one host ends the play for all hosts."),
    line("args", TASKS_AND_INCLUDES, Shape::Map, "More arguments for the module; those beside its name win."),
    line("async", TASKS, Shape::Number, "Let the task run in the background for at most this many seconds."),
    line("become", ALL, Shape::Bool, "Act as another user (`become_user`)."),
    line("become_exe", ALL, Shape::Text, "The program that changes the user."),
    line("become_flags", ALL, Shape::Text, "Options for the program that changes the user."),
    line("become_method", ALL, Shape::Text, "How to change the user: sudo, su or doas."),
    line("become_user", ALL, Shape::Text, "The user to act as; root if nothing is said."),
    fixed("block", BLOCK, Shape::Tasks, "The tasks of the block."),
    line("break_when", LOOP, Shape::Condition, "End the loop after the first item for which this holds."),
    line("changed_when", TASKS, Shape::Condition, "When the task counts as having changed something."),
    line("check_mode", ALL, Shape::Bool, "Run in check mode, or really, whatever the command line says."),
    fixed(
        "collections",
        EVERYWHERE,
        Shape::Texts,
        "Collections in which roles and modules without a full name are looked for.",
    ),
    line("connection", ALL, Shape::Text, "How to reach the host: ssh, local or docker."),
    line(
        "debugger",
        EVERYWHERE,
        Shape::Any,
        "Accepted and without effect: there is no interactive debugger.",
    ),
    line("delay", TASKS, Shape::Number, "Seconds between two tries of `until`; 5 if nothing is said."),
    line("delegate_facts", DELEGATABLE, Shape::Bool, "Facts belong to the host of `delegate_to`."),
    line("delegate_to", DELEGATABLE, Shape::Text, "Run on this host in the name of the play's host."),
    line("diff", ALL, Shape::Bool, "Show what changes in files."),
    line("environment", ALL, Shape::Maps, "Environment variables for the task on the host."),
    line("extended", LOOP, Shape::Bool, "Also set `ansible_loop` with first, last, index and more."),
    line("extended_allitems", LOOP, Shape::Bool, "Keep all items in `ansible_loop.allitems`."),
    line("fact_path", PLAY, Shape::Text, "The folder of local facts on the hosts."),
    line("failed_when", TASKS, Shape::Condition, "When the task counts as failed."),
    line("force_handlers", PLAY, Shape::Bool, "Run notified handlers on failed hosts too."),
    line("gather_facts", PLAY, Shape::Bool, "Gather facts before the first task; true if nothing is said."),
    line("gather_subset", PLAY, Shape::Texts, "Which facts to gather."),
    line("gather_timeout", PLAY, Shape::Number, "Seconds that gathering one fact may take."),
    fixed("handlers", PLAY, Shape::Tasks, "Tasks that run once at the end when another task notified them."),
    line("hosts", PLAY, Shape::Texts, "The hosts of the play: groups, names and patterns."),
    line("ignore_errors", EVERYWHERE, Shape::Bool, "Go on with the next task although this one failed."),
    line("ignore_unreachable", ALL, Shape::Bool, "Go on with a host that could not be reached."),
    fixed(
        "import_playbook",
        Places::of(&[ImportPlaybook]),
        Shape::Text,
        "The playbook whose plays stand here.",
    ),
    fixed("index_var", LOOP, Shape::Text, "The variable that holds the number of the item, from 0."),
    line("label", LOOP, Shape::Any, "What to show for an item instead of the whole item."),
    line(
        "listen",
        Places::of(&[Handler]),
        Shape::Texts,
        "Topics on which `notify` also reaches the handler.",
    ),
    line("local_action", TASKS, Shape::Any, "As `action`, on the controlling machine."),
    line("loop", TASKS_AND_INCLUDES, Shape::Any, "The list to repeat the task over."),
    line("loop_control", TASKS_AND_INCLUDES, Shape::Map, "Names, label and pause of the loop."),
    fixed("loop_var", LOOP, Shape::Text, "The variable that holds the item; `item` if nothing is said."),
    line("max_fail_percentage", PLAY, Shape::Number, "The play ends when more hosts than this failed."),
    line("module_defaults", ALL, Shape::Maps, "Arguments that modules get where a task does not give them."),
    line(
        "name",
        Places::of(&[Play, Role, Block, Task, Handler, Include, ImportPlaybook]),
        Shape::Text,
        "What it is for, shown when it runs.",
    ),
    line("no_log", EVERYWHERE, Shape::Bool, "Never show arguments and results."),
    line(
        "notify",
        Places::of(&[Block, Task, Handler]),
        Shape::Texts,
        "Handlers to run when something changed.",
    ),
    line(
        "order",
        PLAY,
        Shape::Choice(&["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"]),
        "The order of the hosts.",
    ),
    line("pause", LOOP, Shape::Number, "Seconds between two items."),
    line("poll", TASKS, Shape::Number, "Seconds between two looks at a task with `async`; 0: do not wait."),
    line("port", ALL, Shape::Number, "The port of the connection."),
    fixed("post_tasks", PLAY, Shape::Tasks, "Tasks after `tasks` and the handlers that these notified."),
    fixed("pre_tasks", PLAY, Shape::Tasks, "Tasks before `roles`."),
    fixed("register", TASKS_AND_INCLUDES, Shape::Text, "The variable that takes the task's result."),
    line("remote_user", ALL, Shape::Text, "The user of the connection."),
    fixed("rescue", BLOCK, Shape::Tasks, "Tasks that run when one of the block failed."),
    line("retries", TASKS, Shape::Number, "How often to try again until `until` holds."),
    fixed("role", Places::of(&[Role]), Shape::Any, "The role to run."),
    fixed("roles", PLAY, Shape::Any, "Roles that run before `tasks`."),
    line("run_once", EVERYWHERE, Shape::Bool, "Run on the first host only; all hosts get the result."),
    line("serial", PLAY, Shape::Texts, "How many hosts, or what part of them, go through the play together."),
    line("strategy", PLAY, Shape::Text, "How hosts go through the play: linear, free or host_pinned."),
    line(
        "tags",
        Places::of(&[Play, Role, Block, Task, Handler, Include, ImportPlaybook]),
        Shape::Texts,
        "Words that select tasks (`--tags`, `--skip-tags`).",
    ),
    fixed("tasks", PLAY, Shape::Tasks, "The tasks, after `roles`."),
    line("throttle", ALL, Shape::Number, "At most this many hosts run the task at a time."),
    line("timeout", EVERYWHERE, Shape::Number, "Seconds after which the task has failed."),
    line("until", TASKS, Shape::Condition, "Repeat the task until this holds."),
    line("user", PLAY, Shape::Text, "Another name for `remote_user`."),
    line(
        "vars",
        Places::of(&[Play, Role, Block, Task, Handler, Include, ImportPlaybook]),
        Shape::Any,
        "Variables for what stands here.",
    ),
    line(
        "vars_files",
        PLAY,
        Shape::Any,
        "Files of variables; of a list inside the list the first that exists.",
    ),
    fixed("vars_prompt", PLAY, Shape::Maps, "Variables to ask the user for."),
    line(
        "when",
        Places::of(&[Role, Block, Task, Handler, Include, ImportPlaybook]),
        Shape::Condition,
        "Run only where this holds.",
    ),
];
