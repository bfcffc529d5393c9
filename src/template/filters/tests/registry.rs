//! The table of filters as a whole.

use std::collections::BTreeSet;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};

use super::super::{FAMILIES, register};
use crate::template::is_tests;

const WANTED: &str = "b64decode b64encode basename bool checksum combinations combine comment commonpath dict2items \
    difference dirname expanduser expandvars extract fileglob flatten from_json from_yaml from_yaml_all hash \
    human_readable human_to_bytes intersect items2dict log md5 normpath password_hash path_join permutations pow \
    product quote random realpath regex_escape regex_findall regex_replace regex_search rekey_on_member relpath root \
    sha1 shuffle split splitext strftime subelements symmetric_difference ternary to_datetime to_json to_nice_json \
    to_nice_yaml to_uuid to_yaml type_debug union unique urldecode urlsplit win_basename win_dirname win_splitdrive \
    zip zip_longest abs attr batch capitalize center count dictsort e escape filesizeformat first float forceescape \
    format groupby indent int items join last length list lower map max min pprint reject rejectattr replace \
    reverse round safe select selectattr slice sort string striptags sum title tojson trim truncate upper urlencode \
    urlize wordcount wordwrap xmlattr";

#[test]
fn every_filter_of_ansible_and_jinja_is_there() {
    let names: BTreeSet<&str> =
        FAMILIES.iter().flat_map(|(_, filters)| filters.iter().map(|it| it.name)).collect();
    let missing: Vec<&str> = WANTED.split_whitespace().filter(|name| !names.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn names_are_unique_in_their_collection() {
    let mut seen = BTreeSet::new();
    for (collection, filters) in FAMILIES {
        for filter in *filters {
            assert!(seen.insert((collection, filter.name)), "{collection}.{}", filter.name);
            assert!(!filter.doc.is_empty() && !filter.doc.ends_with('.'), "{}", filter.name);
        }
    }
    seen.clear();
    for (collection, tests) in is_tests::FAMILIES {
        for test in *tests {
            assert!(seen.insert((collection, test.name)), "{collection}.{}", test.name);
            assert!(!test.doc.is_empty() && !test.doc.ends_with('.'), "{}", test.name);
        }
    }
}

#[test]
fn full_names_work_and_errors_name_filter_and_argument() {
    let mut env = Environment::new();
    register(&mut env);
    is_tests::register(&mut env);
    let eval = |source: &str| env.compile_expression(source).and_then(|it| it.eval(()));
    assert_eq!(eval("'x' | ansible.builtin.upper").unwrap().to_string(), "X");
    assert!(eval("'1.2' is ansible.builtin.version('1.1', '>')").unwrap().is_true());
    for (source, message) in [
        ("'x' | regex_replace('x', 'y', colour=1)", "regex_replace: there is no argument 'colour'"),
        ("'x' | ternary", "ternary: the argument 'true_val' is missing"),
        ("'x' | upper(1)", "upper: takes at most 0 arguments"),
        ("nope | upper", "upper: a value is undefined"),
        ("5 | dict2items", "dict2items: expected a dictionary, not 'int'"),
        ("[1, 'a'] | sort", "sort: '<' not supported between instances of 'str' and 'int'"),
        ("'x' | regex_search('(')", "regex_search: '(' is no pattern"),
        ("'x' | trim('x', chars='y')", "trim: 'chars' is given twice"),
    ] {
        let shown = eval(source).map_or_else(|error| error.to_string(), |value| value.to_string());
        assert!(shown.contains(message), "{source}: {shown}");
    }
}

#[test]
fn a_pattern_is_compiled_once_and_found_again() {
    let first = super::super::regex::Pattern::new("a+", false, false).unwrap();
    let second = super::super::regex::Pattern::new("a+", false, false).unwrap();
    let other = super::super::regex::Pattern::new("a+", true, false).unwrap();
    assert!(first.find("xaa").unwrap().is_some() && second.find("x").unwrap().is_none());
    assert!(other.find("A").unwrap().is_some() && first.find("A").unwrap().is_none());
}

#[test]
fn a_value_that_could_not_be_made_fails_whatever_uses_it() {
    let mut env = Environment::new();
    register(&mut env);
    is_tests::register(&mut env);
    env.set_unknown_method_callback(crate::template::methods::call);
    let broken = || Value::from(Error::new(ErrorKind::InvalidOperation, "it broke"));
    let context = Value::from_pairs([
        ("list", Value::from(vec![Value::from(1), broken()])),
        ("map", Value::from_pairs([("a", broken())])),
        ("hole", Value::from(vec![Value::UNDEFINED])),
    ]);
    for (source, message) in [
        ("list | string", "it broke"),
        ("list | upper", "it broke"),
        ("list | to_json", "it broke"),
        ("map | to_nice_yaml", "it broke"),
        ("map | json_query('a')", "it broke"),
        ("map | combine({'b': 1})", "it broke"),
        ("[map] | map(attribute='a') | join", "it broke"),
        ("list | join(',')", "it broke"),
        ("list is search('x')", "it broke"),
        ("map.values() | list", "it broke"),
        ("'{}'.format(list)", "it broke"),
        ("hole | string", "undefined"),
    ] {
        let shown = env.compile_expression(source).and_then(|it| it.eval(&context));
        let shown = shown.map_or_else(|error| error.to_string(), |value| format!("no error: {value}"));
        assert!(shown.contains(message) && !shown.starts_with("no error"), "{source}: {shown}");
    }
    assert!(env.compile_expression("[1] | string").unwrap().eval(&context).is_ok());
}

#[test]
fn counts_that_no_memory_holds_are_refused() {
    let mut env = Environment::new();
    register(&mut env);
    env.set_unknown_method_callback(crate::template::methods::call);
    for source in [
        "'x' | center(99999999999)",
        "'x'.ljust(99999999999)",
        "[1] | batch(99999999999, 0)",
        "[1] | slice(99999999999)",
        "[1] | product(repeat=99999999)",
        "range(2000) | product(range(2000))",
        "'{:99999999999}'.format(1)",
        "170141183460469231731687303715884105727 | random(start=-5, step=-3, seed=1)",
    ] {
        assert!(env.compile_expression(source).unwrap().eval(()).is_err(), "{source}");
    }
    let wide =
        env.compile_expression("{'a': 'b c'} | to_nice_yaml(width=99999999999)").unwrap().eval(()).unwrap();
    assert_eq!(wide.to_string(), "a: b c\n");
}
