//! `mysql_db`: databases of MySQL and MariaDB: there or not, written to a file, read from one.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, HostPath, Look, Module, Outcome, Support, Touch, split_words};
use crate::modules::mysql::{Login, name, text};

/// Make and drop databases of MySQL and MariaDB, dump and import them.
///
/// The server's own client on the host does it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The databases. `all` stands for all of them when they are dumped or imported.
    #[serde(alias = "db")]
    #[schemars(extend("x-aliases" = ["db"]))]
    name: Vec<String>,
    /// What is to be.
    #[serde(default)]
    state: State,
    /// The character set of a new database.
    encoding: Option<String>,
    /// The collation of a new database.
    collation: Option<String>,
    /// The file to dump to or import from. One that ends with `.gz`, `.bz2` or `.xz` is compressed so.
    target: Option<HostPath>,
    /// Dump in one transaction.
    #[serde(default)]
    single_transaction: bool,
    /// Dump without holding tables in memory.
    #[serde(default = "yes")]
    quick: bool,
    /// Tables to leave out of the dump, as `database.table`.
    #[serde(default)]
    ignore_tables: Vec<String>,
    /// Dump binary fields as hexadecimal numbers.
    #[serde(default)]
    hex_blob: bool,
    /// Go on after errors.
    #[serde(default)]
    force: bool,
    /// Do not lock tables while they are dumped.
    #[serde(default)]
    skip_lock_tables: bool,
    /// Write the position of the binary log: 1 as a statement, 2 as a comment.
    #[serde(default)]
    master_data: u8,
    /// More arguments for the dumping program, as one text.
    dump_extra_args: Option<String>,
    #[serde(rename = "@login")]
    #[schemars(flatten)]
    login: Login,
}

/// What is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The databases are there.
    #[default]
    Present,
    /// They are not.
    Absent,
    /// They are written to `target`, each time.
    Dump,
    /// `target` is read into them, each time.
    Import,
}

fn yes() -> bool {
    true
}

/// The databases that something is to be done with.
#[derive(Debug)]
pub struct Plan {
    names: Vec<String>,
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: A database for the application
  mysql_db:
    name: app
    encoding: utf8mb4
    login_unix_socket: /run/mysqld/mysqld.sock

- name: Dump it
  mysql_db:
    name: app
    state: dump
    target: /var/backups/app.sql.gz
";
    const RETURNS: &'static str = "
db: The databases, in one text.
db_list: The databases.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let names: Vec<String> = self.name.iter().map(|it| it.trim().to_owned()).collect();
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(Fail::new("name: a database must have a name"));
        }
        let moves = matches!(self.state, State::Dump | State::Import);
        if moves && self.target.is_none() {
            let state = if self.state == State::Dump { "dump" } else { "import" };
            return Err(Fail::new(format!("with state={state} target is required")));
        }
        if !moves && names.iter().any(|name| name == "all") {
            return Err(Fail::new("name: `all` can only be dumped and imported"));
        }
        if moves {
            let target = self.target(host)?;
            if self.state == State::Import && host.stat(&target, true)?.is_none() {
                return Err(Fail::new(format!("target {} does not exist on the host", target.display())));
            }
            return Ok(Some(Plan { names }));
        }
        let there = self.login.ask(host, "SHOW DATABASES;\n")?;
        let wanted = self.state == State::Present;
        let names: Vec<String> = names
            .into_iter()
            .filter(|name| there.iter().any(|row| row.first() == Some(name)) != wanted)
            .collect();
        Ok((!names.is_empty()).then_some(Plan { names }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match self.state {
            State::Present => {
                let statements: String = plan.names.iter().map(|name| self.create(name)).collect();
                self.login.run(host, &statements)?;
            }
            State::Absent => {
                let drop = |database: &String| format!("DROP DATABASE {};\n", name(database));
                self.login.run(host, &plan.names.iter().map(drop).collect::<String>())?;
            }
            State::Dump => self.dump(&plan.names, host)?,
            State::Import => self.import(&plan.names, host)?,
        }
        Ok(self.describe(Outcome::changed()))
    }
}

/// The program that a file's name asks for.
fn packer(path: &Path) -> Option<&'static str> {
    match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => Some("gzip"),
        Some("bz2") => Some("bzip2"),
        Some("xz") => Some("xz"),
        _ => None,
    }
}

impl Args {
    fn target(&self, host: &dyn Look) -> Result<PathBuf, Fail> {
        let target = self.target.as_ref().map(|path| path.on(host)).unwrap_or_default();
        if !target.is_absolute() || target.to_string_lossy().contains('\n') {
            return Err(Fail::new(format!("target: {} must be an absolute path", target.display())));
        }
        Ok(target)
    }

    fn create(&self, database: &str) -> String {
        let mut statement = format!("CREATE DATABASE {}", name(database));
        if let Some(encoding) = self.encoding.as_ref().filter(|it| !it.is_empty()) {
            statement += &format!(" CHARACTER SET {}", text(encoding));
        }
        if let Some(collation) = self.collation.as_ref().filter(|it| !it.is_empty()) {
            statement += &format!(" COLLATE {}", text(collation));
        }
        statement + ";\n"
    }

    fn dump(&self, names: &[String], host: &mut dyn Touch) -> Result<(), Fail> {
        let target = self.target(host.as_look())?;
        let file = host.temp_dir()?.join("dump");
        let mut cmd = self.login.program(host.as_look(), &["mysqldump", "mariadb-dump"])?;
        for (wanted, option) in [
            (self.force, "--force"),
            (self.quick, "--quick"),
            (self.single_transaction, "--single-transaction=true"),
            (self.hex_blob, "--hex-blob"),
            (self.skip_lock_tables, "--skip-lock-tables"),
        ] {
            cmd = cmd.args(wanted.then_some(option));
        }
        if self.master_data > 0 {
            cmd = cmd.arg(format!("--master-data={}", self.master_data));
        }
        cmd = cmd.args(self.ignore_tables.iter().map(|table| format!("--ignore-table={table}")));
        if let Some(more) = &self.dump_extra_args {
            let open = || Fail::new(format!("dump_extra_args has an open quote: {more}"));
            cmd = cmd.args(split_words(more).ok_or_else(open)?);
        }
        cmd = cmd.arg(format!("--result-file={}", file.display()));
        cmd = match names {
            [all] if all == "all" => cmd.arg("--all-databases"),
            [one] => cmd.args(["--", one]),
            many => cmd.args(["--databases", "--"]).args(many.iter().cloned()),
        };
        host.run(&cmd)?.success("dumping")?;
        let dumped = match packer(&target) {
            Some(program) => {
                host.run(&crate::modules::api::Cmd::new([program]).arg(&file))?.success(program)?;
                let end = target.extension().unwrap_or_default().to_string_lossy().into_owned();
                file.with_extension(end)
            }
            None => file,
        };
        host.copy(&dumped, &target, &crate::modules::api::Write::default()).map(drop)
    }

    fn import(&self, names: &[String], host: &mut dyn Touch) -> Result<(), Fail> {
        let mut source = self.target(host.as_look())?;
        if let Some(program) = packer(&source) {
            let end = source.extension().unwrap_or_default().to_string_lossy().into_owned();
            let packed = host.temp_dir()?.join("dump").with_extension(end);
            host.copy(&source, &packed, &crate::modules::api::Write::default())?;
            host.run(&crate::modules::api::Cmd::new([program, "-d"]).arg(&packed))?.success(program)?;
            source = packed.with_extension("");
        }
        for database in names {
            // The client reads the file itself, so that no dump is too large.
            let mut statements = String::new();
            if database != "all" {
                statements =
                    format!("CREATE DATABASE IF NOT EXISTS {};\nUSE {};\n", name(database), name(database));
            }
            statements += &format!("source {}\n", source.display());
            self.login.run(host, &statements)?;
        }
        Ok(())
    }

    fn describe(&self, outcome: Outcome) -> Outcome {
        outcome.with("db", self.name.join(" ")).with("db_list", self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Look, Ran};

    const CLIENT: &str = "mysql --batch --skip-column-names --connect-timeout=30";

    #[test]
    fn databases_are_made_and_dropped_once() {
        for (args, before, after, said) in [
            (
                "name: app, encoding: utf8mb4",
                "mysql\n",
                "mysql\napp\n",
                "CREATE DATABASE `app` CHARACTER SET 'utf8mb4';\n",
            ),
            ("db: 'a,b', collation: c", "a\n", "a\nb\n", "CREATE DATABASE `b` COLLATE 'c';\n"),
            ("name: a`b, state: absent", "a`b\n", "", "DROP DATABASE `a``b`;\n"),
        ] {
            let mut host =
                FakeHost::new().answer(CLIENT, 0, before).answer(CLIENT, 0, before).answer(CLIENT, 0, "");
            host = host.answer(CLIENT, 0, after);
            host.converge::<Args>(&format!("{{{args}}}"));
            assert_eq!(String::from_utf8_lossy(&host.stdin), said, "{args}");
        }
    }

    #[test]
    fn the_password_is_in_no_argument() {
        let mut host = FakeHost::new().answer("mysql", 0, "").file("/root/.my.cnf", "");
        host.play::<Args>("{name: a, login_user: u, login_password: geheim, login_host: h, login_port: 1}")
            .unwrap();
        let line =
            format!("mysql --no-defaults --user=u --host=h --port=1{}", CLIENT.trim_start_matches("mysql"));
        assert_eq!(host.ran, [line]);
        host.play::<Args>("{name: a}").unwrap();
        assert!(host.ran[1].starts_with("mysql --defaults-extra-file=/root/.my.cnf --batch"));
    }

    #[test]
    fn dumps_are_written_packed_and_read() {
        let dumped = |host: &mut FakeHost| *host = std::mem::take(host).file("/tmp/regatta-1/dump", "text");
        let packed =
            |host: &mut FakeHost| *host = std::mem::take(host).file("/tmp/regatta-1/dump.gz", "packed");
        let mut host = FakeHost::new()
            .answer_with("mysqldump", Ran::default(), Some(Box::new(dumped)))
            .answer_with("gzip", Ran::default(), Some(Box::new(packed)));
        host.play::<Args>("{name: a, state: dump, target: /srv/a.sql.gz, ignore_tables: a.b, dump_extra_args: '-x \"y z\"'}")
            .unwrap();
        assert_eq!(
            host.ran,
            [
                "mysqldump --quick --ignore-table=a.b -x y z --result-file=/tmp/regatta-1/dump -- a",
                "gzip /tmp/regatta-1/dump"
            ]
        );
        assert_eq!(host.text("/srv/a.sql.gz"), "packed");
        let mut host = FakeHost::new().file("/srv/a.sql", "").answer("mysql", 0, "");
        host.play::<Args>("{name: a, state: import, target: /srv/a.sql}").unwrap();
        let said = "CREATE DATABASE IF NOT EXISTS `a`;\nUSE `a`;\nsource /srv/a.sql\n";
        assert_eq!(String::from_utf8_lossy(&host.stdin), said);
        assert!(host.umask() == 0o022);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (args, msg) in [
            ("{name: a, state: dump}", "target is required"),
            ("{name: all}", "can only be dumped"),
            ("{name: a, state: dump, target: x}", "must be an absolute path"),
            ("{name: a, state: import, target: /nosuch}", "does not exist"),
            ("{name: ''}", "must have a name"),
            ("{name: a}", "neither mysql nor mariadb"),
        ] {
            let fail = FakeHost::new().play::<Args>(args).unwrap_err();
            assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
        }
        let refused = Ran { rc: 1, stderr: b"ERROR 1045 (28000): Access denied".to_vec(), ..Ran::default() };
        let mut host = FakeHost::new().answer_with("mysql", refused, None);
        assert!(host.play::<Args>("{name: a}").unwrap_err().msg.starts_with("unable to connect to database"));
    }
}
