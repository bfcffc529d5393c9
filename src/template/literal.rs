//! Text that looks like a Python list or dictionary, read as data. Nothing is evaluated.
//!
//! Template texts such as `[{% for … %}'a', {% endfor %}]` mean lists; `native` asks here.

use crate::value::{Map, Str, Value};

const DEPTH: usize = 100;

/// The data that a text literally is, if it is a list, a dictionary, `True` or `False`.
pub(super) fn parse(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    match text {
        "True" => return Some(Value::Bool(true)),
        "False" => return Some(Value::Bool(false)),
        _ if !text.starts_with(['[', '{']) => return None,
        _ => {}
    }
    let mut reader = Reader { text: trimmed, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == trimmed.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: char) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len_utf8() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        self.space();
        match self.rest().chars().next()? {
            '[' => self.items('[', ']', depth),
            '(' => self.items('(', ')', depth),
            '{' => self.dictionary(depth),
            '\'' | '"' => {
                let mut text = self.string()?;
                while matches!(
                    {
                        self.space();
                        self.rest().chars().next()
                    },
                    Some('\'' | '"')
                ) {
                    text.push_str(&self.string()?);
                }
                Some(Value::from(text))
            }
            _ => self.word(),
        }
    }

    fn items(&mut self, open: char, close: char, depth: usize) -> Option<Value> {
        self.eat(open);
        let mut items = Vec::new();
        let mut commas = 0;
        loop {
            if self.eat(close) {
                break;
            }
            items.push(self.value(depth + 1)?);
            if self.eat(',') {
                commas += 1;
            } else if self.eat(close) {
                break;
            } else {
                return None;
            }
        }
        // Parentheses around one value without a comma are only parentheses.
        if open == '(' && commas == 0 && items.len() == 1 { items.pop() } else { Some(Value::list(items)) }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Value> {
        self.eat('{');
        let mut map = Map::new();
        while !self.eat('}') {
            let key = self.value(depth + 1)?;
            if !self.eat(':') {
                return None;
            }
            let key = match key {
                Value::Str(text) => text,
                Value::List(_) | Value::Map(_) => return None,
                other => Str::from(other.to_string()),
            };
            map.insert(key, self.value(depth + 1)?);
            if !self.eat(',') {
                if !self.eat('}') {
                    return None;
                }
                break;
            }
        }
        Some(Value::map(map))
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_+-.".contains(c))).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        match word.as_str() {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            number => {
                let digits = number.trim_start_matches(['+', '-']);
                // Python refuses `012`.
                if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
                    return None;
                }
                let whole = number.parse::<i64>().ok().map(Value::Int);
                whole.or_else(|| number.parse::<f64>().ok().map(Value::Float))
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest().chars().next()?;
        self.at += 1;
        let mut out = String::new();
        loop {
            let c = self.rest().chars().next()?;
            self.at += c.len_utf8();
            match c {
                c if c == quote => return Some(out),
                '\\' => out.push_str(&self.escape()?),
                '\n' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<String> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        let width = match c {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                return Some(match c {
                    'n' => "\n".into(),
                    't' => "\t".into(),
                    'r' => "\r".into(),
                    '0' => "\0".into(),
                    'a' => "\x07".into(),
                    'b' => "\x08".into(),
                    'f' => "\x0c".into(),
                    'v' => "\x0b".into(),
                    '\\' | '\'' | '"' => c.to_string(),
                    '\n' => String::new(),
                    other => format!("\\{other}"),
                });
            }
        };
        let code = u32::from_str_radix(self.rest().get(..width)?, 16).ok()?;
        self.at += width;
        char::from_u32(code).map(String::from)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn literals_are_read_and_nothing_else_is() {
        for (text, printed) in [
            ("['a','b',]", "['a', 'b']"),
            ("[1, -2.5, None, True, [], {}, (1,), (2)]", "[1, -2.5, None, True, [], {}, [1], 2]"),
            ("{'a': 1, \"b\": [{'c': 'd\\n'}],}", "{'a': 1, 'b': [{'c': 'd\\n'}]}"),
            ("[\n  'x' 'y'\n]\n", "['xy']"),
            ("True", "True"),
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), Some(printed), "{text}");
        }
        for text in [
            "",
            "abc",
            "[a]",
            "[1",
            "{'a'}",
            "[1] x",
            "{\"a\": true}",
            "[012]",
            "[lookup('pipe', 'id')]",
            " [1]",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(10_000)), None);
    }
}
