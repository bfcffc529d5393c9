//! Filters of community.general.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("{'a':1}|community.general.dict_kv('x')", "{'x': {'a': 1}}"),
    ("[['a',1],['b',2]]|community.general.dict", "{'a': 1, 'b': 2}"),
    ("['2.1','1.10','1.9']|community.general.version_sort", "['1.9', '1.10', '2.1']"),
    ("['2.1','1.10','1.9']|community.general.version_sort(reverse=true)", "['2.1', '1.10', '1.9']"),
    (
        "[{'n':'a','x':1}]|community.general.lists_mergeby([{'n':'a','y':2},{'n':'b'}],'n')",
        "[{'n': 'a', 'x': 1, 'y': 2}, {'n': 'b'}]",
    ),
    (
        "[{'n':'a','x':[1]}]|community.general.lists_mergeby([{'n':'a','x':[2]}],'n',list_merge='append',recursive=true)",
        "[{'n': 'a', 'x': [1, 2]}]",
    ),
    ("['a','b','a']|community.general.counter", "{'a': 2, 'b': 1}"),
    ("[[1,2],[2,3]]|community.general.lists_union", "[[1, 2], [2, 3]]"),
    ("[1,2]|community.general.lists_union([2,3])", "[1, 2, 3]"),
    ("[1,2]|community.general.lists_intersect([2,3])", "[2]"),
    ("[1,2]|community.general.lists_difference([2,3])", "[1]"),
    ("[1,2]|community.general.lists_symmetric_difference([2,3])", "[1, 3]"),
    ("[{'name':'a','v':1}]|community.general.groupby_as_dict('name')", "{'a': {'name': 'a', 'v': 1}}"),
    ("'1h 30m'|community.general.to_seconds", "5400.0"),
    ("'1h 30m'|community.general.to_minutes", "90.0"),
    ("'2d'|community.general.to_hours", "48.0"),
    ("'1500ms'|community.general.to_seconds", "1.5"),
    ("'1w'|community.general.to_days", "7.0"),
    ("'1y'|community.general.to_days", "365.0"),
    ("'1mo'|community.general.to_days", "30.0"),
    ("'52:54:00'|community.general.random_mac(seed='x')", "'52:54:00:60:a1:7b'"),
    ("'52:54'|community.general.random_mac(seed='host')", "'52:54:62:17:96:2f'"),
    ("{'a':{'b':[1,2]}}|community.general.json_query('a.b[0]')", "1"),
    (r#"[{'name':'x','v':1},{'name':'y','v':2}]|community.general.json_query("[?name=='y'].v")"#, "[2]"),
    (r#"[{'name':'x','v':1},{'name':'y','v':2}]|community.general.json_query("[?v>`1`].name | [0]")"#, "'y'"),
    ("{'a':1}|community.general.json_query('b')", "None"),
    ("[{'a':1,'b':2}]|community.general.remove_keys(['a'])", "[{'b': 2}]"),
    ("[{'a':1,'b':2}]|community.general.keep_keys(['a'])", "[{'a': 1}]"),
    ("[{'a':1}]|community.general.replace_keys([{'before':'a','after':'z'}])", "[{'z': 1}]"),
    ("[{'ab':1,'b':2}]|community.general.remove_keys(['a'],matching_parameter='starts_with')", "[{'b': 2}]"),
    (
        "[{'ab':1,'b':2}]|community.general.keep_keys('b',matching_parameter='ends_with')",
        "[{'ab': 1, 'b': 2}]",
    ),
    ("[{'ab':1,'b':2}]|community.general.keep_keys(['^a.*$'],matching_parameter='regex')", "[{'ab': 1}]"),
    ("'100 d 5 ms'|community.general.to_time_unit('h')", "!"),
    ("'x'|community.general.to_seconds", "!"),
    ("[1,2]|community.general.lists_union([2,3],[4,[5]])", "[1, 2, 3, 4, [5]]"),
    ("[[[1,2],[2,3]]]|community.general.lists_union(flatten=true)", "[[1, 2], [2, 3]]"),
];

#[test]
fn community_filters_behave_as_theirs() {
    check(CASES);
}
