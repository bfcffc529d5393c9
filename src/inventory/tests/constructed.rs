//! The plugin `constructed`, compared with ansible-core 2.18.

use super::{Files, vars};
use crate::diag::code;
use crate::value::Value;

const HOSTS: &str = "[web]
h1 os=debian tags='[\"a\",\"b-c\"]' d='{\"k\":\"v\"}' empty=
h2 os=\"red hat\"
[web:vars]
gv=1
";

const PLUGIN: &str = "plugin: ansible.builtin.constructed
compose:
  full: inventory_hostname ~ '-' ~ os
  undef: nope + 1
  two: full ~ gv
  fv2: fv
groups:
  deb: os == 'debian'
  bad-name: inventory_hostname == 'h1'
  inweb: \"'web' in group_names\"
  undefg: nope
keyed_groups:
  - {key: os}
  - {key: os, prefix: os, separator: \"-\"}
  - {key: tags, prefix: tag, parent_group: \"par-{{ os }}\"}
  - {key: d, prefix: d}
  - {key: nope, prefix: x}
  - {key: empty, prefix: e, default_value: def}
  - {key: empty, prefix: f}
";

#[test]
fn variables_and_groups_are_made_of_what_is_there() {
    let files =
        Files::new(&[("inv/1hosts", HOSTS), ("inv/2c.yml", PLUGIN), ("inv/group_vars/web.yml", "fv: 7")]);
    let inventory = files.inventory(&["inv"]);
    let names = |host: &str| {
        inventory.group_names(host).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("h1"), "_debian bad_name d_k_v deb e_def inweb os_debian par_debian tag_a tag_b_c web");
    assert_eq!(names("h2"), "_red_hat inweb os_red_hat web");
    let seen = vars(&inventory, "h1");
    assert_eq!(seen.get("full"), Some(&Value::from("h1-debian")));
    assert_eq!(seen.get("two"), Some(&Value::from("h1-debian1")));
    assert_eq!((seen.get("undef"), seen.get("fv2")), (None, None));
}

#[test]
fn strict_mistakes_and_what_can_not_be_a_group_are_reported() {
    for (plugin, place) in [
        ("plugin: constructed\nstrict: true\ncompose: {x: nope}\n", "nope"),
        ("plugin: constructed\nkeyed_groups: [{key: \"5\"}]\n", "must be text"),
        ("plugin: constructed\nkeyed_groups: [{prefix: x}]\n", "needs a `key`"),
        ("plugin: constructed\ncompos: {}\n", "no option `compos`"),
        ("plugin: aws_ec2\n", "needs a plugin"),
    ] {
        let files = Files::new(&[("hosts", "h\n"), ("c.yml", plugin)]);
        let (inventory, problems, _) = files.load(&["hosts", "c.yml"]);
        assert_eq!(problems.len(), 1, "{plugin}: {problems:?}");
        assert!(problems[0].message.contains(place), "{plugin}: {}", problems[0].message);
        assert!(inventory.contains("h"));
        assert!(problems[0].code == code::INVENTORY_PLUGIN || place == "nope");
    }
}

#[test]
fn a_leading_separator_can_be_left_out() {
    let plugin = "plugin: constructed\nleading_separator: false\nkeyed_groups: [{key: os}]\n";
    let files = Files::new(&[("hosts", "h os=x\n"), ("c.yml", plugin)]);
    assert_eq!(files.inventory(&["hosts", "c.yml"]).group_names("h"), ["x".into()]);
}
