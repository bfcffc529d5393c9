//! `mysql_query`: statements for MySQL and MariaDB, and what they answer.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Map, Module, Outcome, Support, Touch, Value};
use crate::modules::mysql::{Login, name, text};

/// Run statements of SQL on MySQL or MariaDB.
///
/// Changed is a task whose statements do not only read. All fields of rows are returned as text, since the server's client is
/// asked, which knows no types. In check mode only statements that read are run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The statement, or several.
    query: Vec<Value>,
    /// What stands for the `%s` of the statements, in their order.
    #[serde(default)]
    positional_args: Vec<Value>,
    /// What stands for each `%(name)s` of the statements.
    named_args: Option<Value>,
    /// The database to use.
    login_db: Option<String>,
    /// All statements or none.
    #[serde(default)]
    single_transaction: bool,
    #[serde(rename = "@login")]
    #[schemars(flatten)]
    login: Login,
}

/// The statements as they are sent.
#[derive(Debug)]
pub struct Plan {
    statements: Vec<String>,
}

/// Statements that only read.
const READING: [&str; 6] = ["SELECT", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "USE"];

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Ask
  mysql_query:
    login_db: app
    query: SELECT id FROM users WHERE name = %s
    positional_args: [admin]
  register: found
";
    const RETURNS: &'static str = "
executed_queries: The statements that were run.
query_result: A list of rows for each statement; a row is a mapping from column to text.
";
    type Plan = Plan;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let named = match &self.named_args {
            None => Map::new(),
            Some(Value::Map(map)) => map.as_ref().clone(),
            Some(_) => return Err(Fail::new("named_args must be a mapping")),
        };
        if !named.is_empty() && !self.positional_args.is_empty() {
            return Err(Fail::new("parameters are mutually exclusive: positional_args|named_args"));
        }
        let filled = self.query.iter().map(|query| fill(&query.to_string(), &self.positional_args, &named));
        let statements = filled.collect::<Result<Vec<_>, _>>()?;
        if statements.iter().all(|it| it.trim().is_empty()) {
            return Err(Fail::new("query: there is no statement"));
        }
        Ok(Some(Plan { statements }))
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        if plan.statements.iter().any(|statement| !reads(statement)) {
            return Ok(Outcome::changed().with("executed_queries", plan.statements.clone()));
        }
        let mut all = Vec::new();
        for statement in &plan.statements {
            all.push(table(self.login.ask_with_names(host, &self.prepared(statement))?));
        }
        Ok(result(plan, all))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut all = Vec::new();
        if self.single_transaction && plan.statements.len() > 1 {
            // One session for all of it: answers can't be told apart, and what writes has none.
            let whole = format!(
                "START TRANSACTION;\n{}COMMIT;\n",
                plan.statements.iter().map(|it| ended(it)).collect::<String>()
            );
            self.login.run(host, &self.prepared(&whole))?;
            all.resize(plan.statements.len(), Value::list(Vec::new()));
        } else {
            for statement in &plan.statements {
                all.push(table(self.login.run_with_names(host, &self.prepared(statement))?));
            }
        }
        Ok(result(&plan, all))
    }
}

impl Args {
    fn prepared(&self, statement: &str) -> String {
        let database = self.login_db.as_ref().map(|database| format!("USE {};\n", name(database)));
        format!("{}{}", database.unwrap_or_default(), ended(statement))
    }
}

fn result(plan: &Plan, all: Vec<Value>) -> Outcome {
    let changed = plan.statements.iter().any(|statement| !reads(statement));
    Outcome { changed, ..Outcome::unchanged() }
        .with("executed_queries", plan.statements.clone())
        .with("query_result", Value::list(all))
}

fn ended(statement: &str) -> String {
    let statement = statement.trim().trim_end_matches(';');
    format!("{statement};\n")
}

fn reads(statement: &str) -> bool {
    let first = statement.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word: String = first.chars().take_while(char::is_ascii_alphabetic).collect();
    READING.contains(&word.to_ascii_uppercase().as_str())
}

/// Rows under a line of names as mappings.
fn table(rows: Vec<Vec<String>>) -> Value {
    let mut rows = rows.into_iter();
    let names = rows.next().unwrap_or_default();
    let row = |fields: Vec<String>| {
        let pairs = names.iter().map(String::as_str).zip(fields.into_iter().map(Value::from));
        Value::from_pairs(pairs)
    };
    rows.map(row).collect()
}

/// A statement with its values in place; `%%` stands for a percent sign where there are values.
fn fill(statement: &str, positional: &[Value], named: &Map) -> Result<String, Fail> {
    if positional.is_empty() && named.is_empty() {
        return Ok(statement.to_owned());
    }
    let mut values = positional.iter();
    let mut out = String::new();
    let mut rest = statement;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('%') {
            out.push('%');
            rest = tail;
        } else if let Some(tail) = after.strip_prefix('s') {
            let value =
                values.next().ok_or_else(|| Fail::new("query: there are more %s than positional_args"))?;
            out.push_str(&literal(value));
            rest = tail;
        } else if let Some((key, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(")s")) {
            let value =
                named.get(key).ok_or_else(|| Fail::new(format!("query: named_args has no {key:?}")))?;
            out.push_str(&literal(value));
            rest = tail;
        } else {
            out.push('%');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null | Value::Omit => "NULL".into(),
        Value::Bool(it) => u8::from(*it).to_string(),
        Value::Int(it) => it.to_string(),
        Value::Float(it) => it.to_string(),
        Value::List(items) => format!("({})", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => text(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn values_are_put_in_place_and_quoted() {
        let values =
            [Value::from("it's"), Value::from(5), Value::Null, Value::list(vec![1.into(), 2.into()])];
        let filled = fill("a=%s b=%s c=%s d in %s like '%%x'", &values, &Map::new()).unwrap();
        assert_eq!(filled, "a='it''s' b=5 c=NULL d in (1, 2) like '%x'");
        let named = Map::from_iter([("n".into(), Value::from("x"))]);
        assert_eq!(fill("a=%(n)s", &[], &named).unwrap(), "a='x'");
        assert_eq!(fill("like '%x%'", &[], &Map::new()).unwrap(), "like '%x%'");
        assert!(fill("%s %s", &values[..1], &Map::new()).is_err() && fill("%(m)s", &[], &named).is_err());
    }

    #[test]
    fn rows_come_back_and_only_writing_is_a_change() {
        let mut host =
            FakeHost::new().answer("mysql --batch --connect-timeout=30", 0, "id\tname\n1\ta\\tb\n");
        let args = "{query: [SELECT * FROM t], login_db: app}";
        for outcome in [host.check::<Args>(args).unwrap(), host.play::<Args>(args).unwrap()] {
            assert!(!outcome.changed);
            let rows = outcome.fields["query_result"].as_list().unwrap()[0].clone();
            assert_eq!(rows.as_list().unwrap()[0].get("name"), Some(&Value::from("a\tb")));
        }
        assert_eq!(String::from_utf8_lossy(&host.stdin), "USE `app`;\nSELECT * FROM t;\n");
        let asked = host.queries.borrow().len();
        assert!(host.check::<Args>("{query: 'DELETE FROM t'}").unwrap().changed);
        assert_eq!(host.queries.borrow().len(), asked, "check mode must not delete");
        assert!(host.play::<Args>("{query: 'DELETE FROM t'}").unwrap().changed);
    }

    #[test]
    fn a_transaction_is_one_session() {
        let mut host = FakeHost::new().answer("mysql", 0, "");
        host.play::<Args>("{query: [INSERT 1, INSERT 2;], single_transaction: true}").unwrap();
        assert_eq!(host.ran.len(), 1);
        assert_eq!(
            String::from_utf8_lossy(&host.stdin),
            "START TRANSACTION;\nINSERT 1;\nINSERT 2;\nCOMMIT;\n"
        );
        assert!(host.play::<Args>("{query: ''}").is_err());
    }
}
