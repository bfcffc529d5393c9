//! Text that is a Python literal, read as data: numbers, text, lists, tuples, dictionaries, sets, `True`, `None`.
//!
//! As `ast.literal_eval` reads it; nothing is evaluated. INI inventories type their values with it.

use super::{Map, Str, Value};

const DEPTH: usize = 100;

/// The data that a text is as a Python literal; `None` if it is not one. A number over 64 bits is its digits.
#[must_use]
pub fn parse_literal(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: text.len() - text.trim_start_matches([' ', '\t']).len(), nesting: 0 };
    let first = reader.value()?;
    reader.space();
    if !reader.eat(',') {
        return reader.at_end().then_some(first);
    }
    // A tuple without parentheses.
    let mut items = vec![first];
    loop {
        reader.space();
        if reader.at_end() {
            return Some(Value::list(items));
        }
        items.push(reader.value()?);
        reader.space();
        if !reader.eat(',') {
            return reader.at_end().then(|| Value::list(items));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Open brackets: within them line breaks mean nothing.
    nesting: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_end(&self) -> bool {
        self.rest().trim_end_matches(['\n', '\r']).is_empty()
    }

    /// Skips blanks and comments.
    fn space(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\u{c}') => self.at += 1,
                Some('\n' | '\r') if self.nesting > 0 => self.at += 1,
                Some('#') => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ => return,
            }
        }
    }

    fn eat(&mut self, token: char) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        match self.peek()? {
            '[' => self.list(']'),
            '(' => self.list(')'),
            '{' => self.braces(),
            '-' | '+' => {
                let negative = self.peek() == Some('-');
                self.at += 1;
                self.space();
                match (self.number()?, negative) {
                    (Value::Int(number), true) => Some(Value::Int(-number)),
                    (Value::Float(number), true) => Some(Value::Float(-number)),
                    (Value::Str(digits), true) => Some(negated(&digits)),
                    (number, _) => Some(number),
                }
            }
            '0'..='9' | '.' => self.number(),
            _ => self.word().or_else(|| self.texts()),
        }
    }

    /// Items up to the closing bracket. Parentheses around one value without a comma are only parentheses.
    fn list(&mut self, close: char) -> Option<Value> {
        let (mut items, is_list) = self.items(close, Vec::new())?;
        if close == ')' && !is_list && items.len() == 1 { items.pop() } else { Some(Value::list(items)) }
    }

    fn items(&mut self, close: char, mut items: Vec<Value>) -> Option<(Vec<Value>, bool)> {
        if items.is_empty() {
            self.open()?;
        }
        let mut commas = false;
        let mut wants_comma = !items.is_empty();
        loop {
            self.space();
            if self.eat(close) {
                self.nesting -= 1;
                return Some((items, commas));
            }
            if wants_comma {
                if !self.eat(',') {
                    return None;
                }
                commas = true;
            } else {
                items.push(self.value()?);
            }
            wants_comma = !wants_comma;
        }
    }

    fn open(&mut self) -> Option<()> {
        self.at += 1;
        self.nesting += 1;
        (self.nesting <= DEPTH).then_some(())
    }

    /// A dictionary, or a set: the list of its members.
    fn braces(&mut self) -> Option<Value> {
        self.open()?;
        let mut map = Map::new();
        loop {
            self.space();
            if self.eat('}') {
                self.nesting -= 1;
                return Some(Value::map(map));
            }
            let key = self.value()?;
            self.space();
            let key_text = match &key {
                Value::Str(text) => text.clone(),
                Value::List(_) | Value::Map(_) => return None,
                other => Str::from(other.to_string()),
            };
            if !self.eat(':') {
                return if map.is_empty() { self.set(key) } else { None };
            }
            map.insert(key_text, self.value()?);
            self.space();
            if !self.eat(',') && self.peek() != Some('}') {
                return None;
            }
        }
    }

    fn set(&mut self, first: Value) -> Option<Value> {
        let (items, _) = self.items('}', vec![first])?;
        let mut members: Vec<Value> = Vec::with_capacity(items.len());
        for item in items {
            if matches!(item, Value::List(_) | Value::Map(_)) {
                return None;
            }
            if !members.contains(&item) {
                members.push(item);
            }
        }
        Some(Value::list(members))
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (value, length) = match rest.get(..end)? {
            "True" => (Value::Bool(true), end),
            "False" => (Value::Bool(false), end),
            "None" => (Value::Null, end),
            "set" if rest.starts_with("set()") => (Value::list(Vec::new()), end + 2),
            _ => return None,
        };
        self.at += length;
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let exponent = |at: usize| at > 0 && matches!(rest.as_bytes().get(at - 1), Some(b'e' | b'E'));
        let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
        let end = rest
            .char_indices()
            .find(|(at, c)| {
                let signed = matches!(c, '+' | '-') && !is_hex && exponent(*at);
                !(c.is_alphanumeric() || matches!(c, '_' | '.') || signed)
            })
            .map_or(rest.len(), |(at, _)| at);
        let written = rest.get(..end)?;
        let value = number(written)?;
        self.at += end;
        Some(value)
    }

    /// Text, perhaps in several pieces that stand side by side.
    fn texts(&mut self) -> Option<Value> {
        let mut out = String::new();
        let mut pieces = 0;
        while self.piece(&mut out)? {
            pieces += 1;
            self.space();
        }
        (pieces > 0).then(|| Value::from(out))
    }

    /// One quoted text with its prefix; false if there is none, `None` if it is not well formed.
    fn piece(&mut self, out: &mut String) -> Option<bool> {
        let rest = self.rest();
        let Some(quote_at) = rest.find(['\'', '"']) else { return Some(false) };
        let prefix = rest.get(..quote_at)?.to_ascii_lowercase();
        if !matches!(prefix.as_str(), "" | "r" | "u" | "b" | "rb" | "br") {
            return Some(false);
        }
        self.at += quote_at;
        let quote = self.peek()?;
        let triple = quote.to_string().repeat(3);
        let close = if self.rest().starts_with(&triple) { triple } else { quote.to_string() };
        self.at += close.len();
        let (raw, long) = (prefix.contains('r'), close.len() == 3);
        loop {
            if self.rest().starts_with(&close) {
                self.at += close.len();
                return Some(true);
            }
            let c = self.peek()?;
            self.at += c.len_utf8();
            match c {
                '\n' if !long => return None,
                '\\' if raw => {
                    let next = self.peek()?;
                    self.at += next.len_utf8();
                    out.extend([c, next]);
                }
                '\\' => self.escape(out)?,
                c => out.push(c),
            }
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self, out: &mut String) -> Option<()> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        let plain = match c {
            '\n' => return Some(()),
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            // Names of characters are not known here.
            'N' => return None,
            '0'..='7' => {
                self.at -= 1;
                let digits = self.rest().bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                self.code(digits, 8)?
            }
            other => {
                out.push('\\');
                other
            }
        };
        out.push(plain);
        Some(())
    }

    fn code(&mut self, digits: usize, radix: u32) -> Option<char> {
        let written = self.rest().get(..digits)?;
        self.at += digits;
        char::from_u32(u32::from_str_radix(written, radix).ok()?)
    }
}

/// Python's writing of numbers: underscores between digits, no leading zeros but for zero itself.
fn number(written: &str) -> Option<Value> {
    let fits = |digits: &str, radix: u32| {
        let separated = !digits.starts_with('_') || radix != 10;
        let sound = separated && !digits.ends_with('_') && !digits.contains("__") && !digits.is_empty();
        sound.then(|| digits.replace('_', ""))
    };
    let lower = written.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let digits = fits(digits, radix)?;
            return i128::from_str_radix(&digits, radix).ok().map(whole);
        }
    }
    let digits = fits(&lower, 10)?;
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.starts_with('0') && digits.bytes().any(|b| b != b'0') {
            return None;
        }
        return Some(digits.parse::<i128>().map_or_else(|_| Value::from(digits), whole));
    }
    let starts_as_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b"+-.e".contains(&b));
    if starts_as_number && is_plain { digits.parse().ok().map(Value::Float) } else { None }
}

fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::Int)
}

fn negated(digits: &str) -> Value {
    digits.parse::<i128>().map_or_else(|_| Value::from(format!("-{digits}")), |number| whole(-number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `ast.literal_eval` of Python 3.11 gives, as Python prints it (sets as lists).
    #[rustfmt::skip]
    const ROWS: &[(&str, &str)] = &[
        ("5", "5"), ("5 # c", "5"), (" 7", "7"), ("\"5\"", "'5'"), ("'a' 'b'", "'ab'"), ("'' ''", "''"),
        ("(1,2)", "[1, 2]"), ("1, 2", "[1, 2]"), ("1,", "[1]"), ("(1,)", "[1]"), ("(1)", "1"), ("()", "[]"),
        ("(1,(2,3))", "[1, [2, 3]]"), ("\"a # b\"", "'a # b'"), ("{1,2}", "[1, 2]"), ("{1}", "[1]"), ("set()", "[]"),
        ("r'\\n'", "'\\\\n'"), ("\"a\\nb\"", "'a\\nb'"), ("b'xx'", "'xx'"), ("rb'x'", "'x'"), ("u'x'", "'x'"),
        ("-  5", "-5"), ("+5", "5"), ("'é\\u00e9\\x41\\101'", "'ééAA'"), ("00", "0"), ("0_0", "0"), (".5", "0.5"),
        ("5.", "5.0"), ("1.e3", "1000.0"), ("1_0", "10"), ("1e3", "1000.0"), ("1E-2", "0.01"), ("-1.5", "-1.5"),
        ("0x10", "16"), ("0o17", "15"), ("0b11", "3"), ("0x_f", "15"), ("1e999", "inf"), ("[1,]", "[1]"), ("[]", "[]"), ("{}", "{}"),
        ("{'a': [1, {'b': None}], 2: 'x', True: 1}", "{'a': [1, {'b': None}], '2': 'x', 'True': 1}"),
        ("{'a':1,}", "{'a': 1}"), ("12345678901234567890123", "'12345678901234567890123'"),
        ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "'9223372036854775808'"),
        ("-9223372036854775808", "-9223372036854775808"), ("-9223372036854775809", "'-9223372036854775809'"),
        ("\"\"\"x\"\"\"", "'x'"), ("True", "True"), ("None", "None"), ("False", "False"), ("['a', \"b\"]", "['a', 'b']"),
        ("['a' \"b\"]", "['ab']"), ("'it\\'s'", "\"it's\""), ("\"\\q\"", "'\\\\q'"), ("'a' # c", "'a'"),
        ("[1, # c\n 2]", "[1, 2]"), ("\"\"", "''"), ("'{{ x }}'", "'{{ x }}'"),
    ];

    #[test]
    fn literals_are_read_as_python_reads_them() {
        for (text, expected) in ROWS {
            let shown = parse_literal(text).map(|value| Value::list(vec![value]).to_string());
            assert_eq!(shown, Some(format!("[{expected}]")), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_stays_text() {
        for text in [
            "",
            "x   # c",
            "{{ x }} y",
            "1+2",
            "\"unclosed",
            "--5",
            "+-5",
            "not x",
            "1__0",
            "[1,",
            "[,]",
            "017",
            "f'x'",
            "true",
            "inf",
            "-'x'",
            "yes",
            "a=b",
            "[a]",
            "'a",
            "1 2",
            "#c",
            "[1, # c",
            "{**{}}",
            "[*[]]",
            "-True",
            "'\\x4'",
            "'a'+'b'",
            "1 if 2 else 3",
            "0777",
            "0.0.0.0",
            "10.0.0.1",
            "1-2",
            "2001-01-01",
            "'{{ x }}' y",
            "[1 2]",
            "{1:2 3:4}",
            "None None",
            "~5",
            "0xg",
            "1_",
            "_1",
            "0b2",
            "{[]: 1}",
            "{{1}}",
            "é",
            "1é",
        ] {
            assert_eq!(parse_literal(text), None, "{text}");
        }
        assert_eq!(parse_literal(&"[".repeat(100_000)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\](){},:'"\\+-0-9_.xebruTé# \n]{0,30}"#) {
            let _ = parse_literal(&text);
        }
    }
}
