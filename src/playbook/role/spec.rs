//! The task that checks a role's arguments before its first task, where the role says what it takes.

use std::sync::Arc;

use crate::modules;
use crate::playbook::loader::Loader;
use crate::playbook::reader::Scene;
use crate::playbook::{Action, Args, Common, Role, Task};
use crate::yaml::{Kind, Node, NodeMap, Tag};

use super::Use;

/// The task; none if the entry point has no specification.
pub(super) fn validation(
    role: &Role,
    using: &Use,
    common: &Arc<Common>,
    scene: &Scene,
    loader: &Loader,
) -> Option<Task> {
    let entry = modules::find("validate_argument_spec")?;
    let file = using.files.tasks.as_deref().unwrap_or("main");
    let point = file.split('.').next().unwrap_or(file);
    let spec = role.argument_specs.as_ref()?.get(point)?;
    let span = spec.span;
    let text = |text: &str| Node::new(Kind::Str(text.into()), span);
    let map = |pairs: Vec<(&str, Node)>| {
        let map: NodeMap = pairs.into_iter().map(|(name, node)| (name.into(), (span, node))).collect();
        Node::new(Kind::Map(Arc::new(map)), span)
    };
    let options =
        spec.get("options").filter(|options| !options.is_null()).cloned().unwrap_or_else(|| map(vec![]));
    let context = map(vec![
        ("type", text("role")),
        ("name", text(&role.name)),
        ("argument_spec_name", text(point)),
        ("path", text(&role.path.to_string_lossy())),
    ]);
    // Its texts are documentation, not templates.
    let options = Node { tag: Some(Tag::Unsafe), ..options };
    let args = map(vec![
        ("argument_spec", options),
        ("provided_arguments", Node::new(Kind::Map(Arc::new(using.params.clone())), span)),
        ("validate_args_context", context),
    ]);
    let short = spec.get("short_description").and_then(Node::as_str).map(|text| format!(" - {text}"));
    let name = format!("Validating arguments against arg spec '{point}'{}", short.unwrap_or_default());
    let mut own = Common::clone(common);
    own.name = Some(text(&name));
    own.tags.push(text("always"));
    let name = "ansible.builtin.validate_argument_spec";
    Some(Task {
        dir: role.path.join("tasks"),
        outer: common.clone(),
        args: Args { named: args.as_map().cloned().map(Arc::new).unwrap_or_default(), whole: None },
        role: scene.role.clone(),
        ..Task::blank(loader.id(), span, Arc::new(own), Action::Module(entry), name)
    })
}
