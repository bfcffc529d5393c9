//! Chance with a seed.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("[1,2,3]|random(seed='a')", "2"),
    ("59|random(seed='host1')", "31"),
    ("60|random(seed='web01.example.com')", "38"),
    ("100|random(seed=42)", "81"),
    ("100|random(start=10,seed='x')", "90"),
    ("100|random(1,10,seed='x')", "51"),
    ("100|random(start=10,step=7,seed='abc')", "94"),
    ("1000000000000|random(seed='big')", "608018280422"),
    ("12345678901234567890|random(seed='bigger')", "3747563628198416211"),
    ("10|random(seed=0)", "6"),
    ("10|random(seed=-5)", "9"),
    ("10|random(seed=123456789012345678901234567890)", "3"),
    ("10|random(seed=3.0)", "3"),
    ("10|random(seed='')", "7"),
    ("'abcdef'|random(seed='q')", "'d'"),
    ("['a','b','c','d','e']|shuffle(seed='x')", "['e', 'b', 'a', 'd', 'c']"),
    ("['a','b','c','d','e']|shuffle(seed=7)", "['e', 'a', 'd', 'b', 'c']"),
    ("[1,2,3,4,5,6,7,8,9,10]|shuffle(seed='inventory')", "[10, 3, 9, 5, 4, 8, 1, 2, 6, 7]"),
    ("0|random(seed='a')", "!"),
    ("[]|random(seed='a')", "!"),
    ("1|random(seed='é')", "0"),
    ("256|random(seed='é')", "213"),
    ("1|random(start=5,seed=1)", "!"),
];

#[test]
fn seeded_chance_is_pythons() {
    check(CASES);
}
