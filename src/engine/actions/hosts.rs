//! `add_host` and `group_by`: the inventory grows while the run goes on.

use crate::engine::args;
use crate::engine::result::{Effect, Once};
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::value::{Map, Str, Value};

/// A host for later plays.
pub(super) fn add_host(task: &HostTask, args: &Map) -> Once {
    let Some(name) = ["name", "hostname", "host"].into_iter().find_map(|key| args::text(args, key)) else {
        return Once::fail("add_host: missing required argument `name`");
    };
    let groups: Vec<Str> = ["groups", "group", "groupname"]
        .into_iter()
        .flat_map(|key| super::words(args, key))
        .map(Str::from)
        .collect();
    let own = ["name", "hostname", "groups", "groupname"];
    let mut vars: Map =
        args.iter().filter(|(key, _)| !own.contains(&&***key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    // `name:2222` says the port as well, as in an inventory.
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse::<u16>() {
            Ok(port) => (Str::from(host), Some(port)),
            Err(_) => (name, None),
        },
        _ => (name, None),
    };
    if let Some(port) = port {
        vars.entry("ansible_port".into()).or_insert(Value::from(i64::from(port)));
    }
    let changed = !task.scope.moment.inventory.contains(&name)
        || groups.iter().any(|group| !task.scope.moment.inventory.group_names(&name).contains(group));
    let mut once = Once::of(Outcome { changed, ..Outcome::default() });
    let shown = Value::from_pairs([
        ("host_name", Value::Str(name.clone())),
        ("groups", groups.iter().cloned().map(Value::Str).collect()),
        ("host_vars", Value::map(vars.clone())),
    ]);
    once.fields.insert("add_host".into(), shown);
    once.effects.push(Effect::AddHost { name, groups, vars });
    once
}

/// A group by the value of a template.
pub(super) fn group_by(task: &HostTask, args: &Map) -> Once {
    let Some(key) = args::text(args, "key") else {
        return Once::fail("group_by: missing required argument `key`");
    };
    let parents = super::words(args, "parents");
    let parents = if parents.is_empty() { vec!["all".to_owned()] } else { parents };
    let name = |text: &str| Str::from(text.replace(' ', "-"));
    let group = name(&key);
    let parents: Vec<Str> = parents.iter().map(|parent| name(parent)).collect();
    let changed = !task.scope.moment.inventory.group_names(&task.host).contains(&group);
    let mut once = Once::of(Outcome { changed, ..Outcome::default() });
    once.fields.insert("add_group".into(), Value::Str(group.clone()));
    once.fields.insert("parent_groups".into(), parents.iter().cloned().map(Value::Str).collect());
    once.effects.push(Effect::GroupBy { group, parents });
    once
}
