//! What every command needs before it can work: settings, inventory, templates, the loader; and the way to run
//! playbooks with them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::common::{ConnectOptions, Exit, InventoryOptions, RunOptions};
use super::settings::{self, Settings};
use super::templates::Templates;
use super::terminal::{self, Terminal};
use super::{extra_vars, plugins, signals, vault};
use crate::connection::ssh::{SshContext, SshEnvironment};
use crate::connection::{Connector, ConnectorOptions, Images};
use crate::diag::{Diagnostic, Severity, Sources, code, render};
use crate::engine::{self, Gathering, Options, Summary};
use crate::event::Sink;
use crate::inventory::Inventory;
use crate::output::{self, Format, Junit, Theme};
use crate::playbook::{self, Loader, Playbook, Reach};
use crate::secret::Secret;
use crate::template;
use crate::value::{Map, Str, Value};
use crate::vars::FactCache;
use crate::vault::Purpose;

/// The ansible-core whose language this is; public content asks for it.
const ANSIBLE_VERSION: (i64, i64, i64) = (2, 18, 6);

/// Mistakes that end with 1 as in Ansible; all others that keep a playbook from being loaded end with 4.
const MISSING: &[&str] = &[code::MISSING_PLAYBOOK, code::MISSING_ROLE, code::MISSING_FILE];

/// A command that is ready to work.
pub(super) struct Session {
    pub(super) options: Options,
    pub(super) sources: Arc<Sources>,
    inventory: Inventory,
    templates: Arc<template::Engine>,
    names: Arc<Templates>,
    loader: Arc<Loader>,
    output: Output,
    /// The folder of retry files, if they are written.
    retry: Option<PathBuf>,
}

/// How results are shown.
struct Output {
    format: Format,
    settings: output::Settings,
    junit: Option<PathBuf>,
    log: Option<PathBuf>,
}

impl Session {
    /// Reads settings, inventory and variables. Mistakes are printed.
    pub(super) fn open(
        from: &InventoryOptions,
        connect: &ConnectOptions,
        run: &RunOptions,
        playbooks: &[PathBuf],
    ) -> Result<Session, Exit> {
        let sources = Arc::new(Sources::default());
        let (settings, mut problems) = settings::load(&sources);
        let theme = terminal::theme(run.color, settings.color);
        let stop = |problems: &[Diagnostic]| {
            show(problems, &sources, theme);
            Exit::Usage
        };
        let keyring = vault::keys::keyring(&from.vault, &settings, Purpose::Known, false);
        let (keyring, found) = keyring.map_err(|problem| stop(&[problem]))?;
        let keyring = Arc::new(keyring);
        problems.extend(found);
        let extra =
            extra_vars::read(&from.extra_vars, &sources, &keyring).map_err(|problems| stop(&problems))?;
        let templates = template::Engine::new(
            sources.clone(),
            template::Settings {
                ansible_managed: settings.ansible_managed.clone(),
                keyring: keyring.clone(),
                plugins: Arc::new(plugins::find(playbooks, &settings, &mut problems)),
            },
        );
        let given = if from.inventory.is_empty() { &settings.inventory } else { &from.inventory };
        let (inventory, found) = Inventory::load_with(given, &sources, &templates);
        let unread = found.iter().any(|problem| problem.severity == Severity::Error);
        problems.extend(found);
        if unread && !settings.inventory_unparsed {
            show(&problems, &sources, theme);
            return Err(Exit::Error);
        }
        let output = Output {
            format: run.output.map_or(settings.output, Format::from),
            settings: output::Settings {
                verbosity: run.verbose.max(settings.verbosity),
                theme,
                profile: run.profile || settings.profile,
                skipped: settings.display_skipped_hosts,
                ok: settings.display_ok_hosts,
                stats: settings.show_custom_stats,
                live: terminal::is_live(),
            },
            junit: run.junit.clone().or_else(|| settings.junit.clone()),
            log: settings.log_path.clone(),
        };
        let mut options = options(from, connect, run, &settings).map_err(|problem| stop(&[problem]))?;
        options.fixed_vars = fixed_vars(&options, given, &settings);
        options.extra_vars.clone_from(&extra);
        let names =
            Arc::new(Templates { engine: templates.clone(), extra, fixed: options.fixed_vars.clone() });
        let load = playbook::LoadOptions {
            roles_path: settings.roles_path.clone(),
            collections_path: settings.collections_path.clone(),
            library: settings.library.clone(),
        };
        let loader = Loader::new_with(sources.clone(), load, names.clone(), keyring);
        show(&problems, &sources, theme);
        let retry = settings.retry_files.then(|| settings.retry_folder.clone().unwrap_or_default());
        Ok(Session { options, sources, inventory, templates, names, loader, output, retry })
    }

    /// Loads playbooks and looks for every mistake that can be seen without a host.
    pub(super) fn examine(&self, paths: &[PathBuf], reach: Reach) -> (Vec<Playbook>, Vec<Diagnostic>) {
        let (mut playbooks, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            let (playbook, found) = self.loader.playbook(path);
            problems.extend(found);
            if let Some(playbook) = playbook {
                problems.extend(playbook::check(&playbook, &self.loader, &*self.names, reach));
                playbooks.push(playbook);
            }
        }
        problems.extend(self.templates.take_warnings());
        // In the order of the files, whoever found them.
        problems.sort_by_key(Diagnostic::span);
        (playbooks, problems)
    }

    /// Loads playbooks for a run. With a mistake in any of them nothing runs; all are printed.
    pub(super) fn load(&mut self, paths: &[PathBuf]) -> Result<Vec<Playbook>, Exit> {
        let (playbooks, problems) = self.examine(paths, Reach::Certain);
        self.show(&problems);
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            let missing = |problem: &Diagnostic| MISSING.contains(&problem.code);
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            return Err(if errors.clone().all(missing) { Exit::Error } else { Exit::Parse });
        }
        for playbook in &playbooks {
            if let Some(dir) = playbook.path.parent() {
                self.inventory.add_playbook_dir(dir);
            }
        }
        self.check_limit()?;
        self.check_variables(&playbooks)?;
        Ok(playbooks)
    }

    /// Reads the variables of all hosts that the plays name, so that what is wrong with them is known before any of
    /// them is touched. Plays whose hosts are a template have to wait.
    fn check_variables(&self, playbooks: &[Playbook]) -> Result<(), Exit> {
        let plays = playbooks.iter().flat_map(|playbook| &playbook.plays);
        let patterns = plays.filter_map(|play| play.hosts.as_str().filter(|_| !play.hosts.has_template()));
        let hosts: indexmap::IndexSet<Str> = patterns.flat_map(|pattern| self.hosts(pattern)).collect();
        let problems = self.inventory.prepare(&hosts.into_iter().collect::<Vec<_>>());
        self.show(&problems);
        let wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
        if wrong { Err(Exit::Error) } else { Ok(()) }
    }

    /// A playbook from text of the command line.
    pub(super) fn load_text(&self, name: &str, text: &str) -> Result<Playbook, Exit> {
        let (playbook, mut problems) = self.loader.text(name, text);
        if let Some(playbook) = &playbook {
            problems.extend(playbook::check(playbook, &self.loader, &*self.names, Reach::Certain));
        }
        self.show(&problems);
        match playbook {
            Some(playbook) if !problems.iter().any(|problem| problem.severity == Severity::Error) => {
                self.check_limit()?;
                Ok(playbook)
            }
            _ => Err(Exit::Parse),
        }
    }

    /// A limit that leaves nobody is a mistake.
    fn check_limit(&self) -> Result<(), Exit> {
        let Some(limit) = &self.options.limit else { return Ok(()) };
        let problems = match self.inventory.limit(limit) {
            Ok(limited) if !limited.hosts.is_empty() => {
                self.show(&limited.warnings);
                return Ok(());
            }
            Ok(limited) => {
                let message = format!("no host matches the limit `{limit}`");
                [limited.warnings, vec![Diagnostic::error(code::LIMIT_NO_MATCH, message)]].concat()
            }
            Err(problem) => vec![problem],
        };
        self.show(&problems);
        Err(Exit::Error)
    }

    /// The hosts of a pattern within the limit; none when the pattern is wrong.
    pub(super) fn hosts(&self, pattern: &str) -> Vec<Str> {
        let mut hosts = self.inventory.hosts(pattern).unwrap_or_default();
        if let Some(limit) = &self.options.limit {
            let limited = self.inventory.limit(limit).unwrap_or_default();
            hosts.retain(|host| limited.hosts.contains(host));
        }
        hosts
    }

    pub(super) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    pub(super) fn templates(&self) -> &Arc<template::Engine> {
        &self.templates
    }

    /// Runs playbooks; the exit code says how it went.
    pub(super) fn run(self, playbooks: &[Playbook]) -> Exit {
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                terminal::complain(&format!("can't start: {error}\n"));
                return Exit::Bug;
            }
        };
        let (sender, stop) = watch::channel(0);
        let sink = self.sink();
        let ssh = SshContext::new(SshEnvironment::of_process(), Some(Box::new(Terminal)));
        let run = engine::Run {
            options: self.options,
            sources: self.sources,
            templates: self.templates,
            loader: self.loader,
            connector: Connector::new(ConnectorOptions { images: Images::new(), ssh: ssh.clone() }),
            prompt: Arc::new(Terminal),
            sink,
            stop,
        };
        let summary = runtime.block_on(async {
            signals::watch(sender);
            let summary = engine::run(run, self.inventory, playbooks).await;
            ssh.close().await;
            summary
        });
        for warning in ssh.take_warnings() {
            terminal::complain(&format!("warning: {warning}\n"));
        }
        if let (Some(folder), Some(playbook)) = (&self.retry, playbooks.first()) {
            write_retry(folder, &playbook.path, &summary);
        }
        // Tasks that were cut off may hold blocking threads; nobody waits for those.
        runtime.shutdown_background();
        exit_of(&summary)
    }

    fn sink(&self) -> Box<dyn Sink> {
        let out = Box::new(io::stdout());
        let main =
            output::output(self.output.format, out, self.sources.clone(), self.output.settings.clone());
        let mut all = vec![main];
        if let Some(path) = &self.output.junit {
            all.push(Box::new(Junit::new(path.clone(), self.sources.clone())));
        }
        all.extend(self.log());
        Box::new(output::All(all))
    }

    /// What people see, for the log file; a file that can't be written is a warning.
    fn log(&self) -> Option<Box<dyn Sink>> {
        let path = self.output.log.as_ref()?;
        let settings =
            output::Settings { theme: Theme::plain(), live: false, ..self.output.settings.clone() };
        match output::Log::open(path) {
            Ok(log) => Some(output::output(Format::Human, Box::new(log), self.sources.clone(), settings)),
            Err(error) => {
                let message = format!("can't write the log {}: {error}", path.display());
                self.show(&[Diagnostic::warning(code::FILE_UNREADABLE, message)]);
                None
            }
        }
    }

    /// Prints messages on standard error.
    pub(super) fn show(&self, problems: &[Diagnostic]) {
        show(problems, &self.sources, self.output.settings.theme);
    }

    /// Prints a warning without a place.
    pub(super) fn warn(&self, text: &str) {
        self.show(&[Diagnostic::warning(code::NO_HOSTS, text)]);
    }
}

fn show(problems: &[Diagnostic], sources: &Sources, theme: Theme) {
    for problem in problems {
        terminal::complain(&render(problem, sources, theme.color));
    }
}

/// Writes the hosts that did not get through, one a line, for `--limit @FILE`. `folder`: empty for the playbook's own.
fn write_retry(folder: &Path, playbook: &Path, summary: &Summary) {
    let mut hosts: Vec<&str> =
        summary.failed.iter().chain(&summary.unreachable).map(|host| &**host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    // Text of the command line has no file name of a playbook.
    let Some(name) = playbook.extension().and(playbook.file_stem()).filter(|_| !hosts.is_empty()) else {
        return;
    };
    let folder = if folder.as_os_str().is_empty() { playbook.parent().unwrap_or(folder) } else { folder };
    let path = folder.join(format!("{}.retry", name.to_string_lossy()));
    match std::fs::write(&path, hosts.join("\n") + "\n") {
        Ok(()) => terminal::complain(&format!("to retry, use: --limit @{}\n", path.display())),
        Err(error) => terminal::complain(&format!("warning: can't write {}: {error}\n", path.display())),
    }
}

fn exit_of(summary: &Summary) -> Exit {
    if summary.interrupted {
        Exit::Interrupted
    } else if let Some(problem) = &summary.fatal {
        if problem.code == code::INTERNAL { Exit::Bug } else { Exit::Error }
    } else if !summary.unreachable.is_empty() {
        Exit::Unreachable
    } else if !summary.failed.is_empty() {
        Exit::Failed
    } else {
        Exit::Ok
    }
}

fn options(
    from: &InventoryOptions,
    connect: &ConnectOptions,
    run: &RunOptions,
    settings: &Settings,
) -> Result<Options, Diagnostic> {
    let mut ssh_args = settings.ssh_args.clone();
    for text in [&connect.ssh_common_args, &connect.ssh_extra_args].into_iter().flatten() {
        ssh_args.extend(shlex::split(text).ok_or_else(|| {
            Diagnostic::error(code::SETTING_VALUE, format!("the ssh options `{text}` have an open quote"))
        })?);
    }
    let ssh_password = password(
        connect.ask_pass || settings.ask_pass,
        connect
            .password_file
            .as_ref()
            .or(settings.connection_password_file.as_ref())
            .map(PathBuf::as_path)
            .or(settings.connection_password_file.as_deref()),
        "SSH password: ",
    )?;
    let ask_become = connect.ask_become_pass || settings.become_ask_pass;
    let become_password = password(
        ask_become,
        connect
            .become_password_file
            .as_ref()
            .or(settings.become_password_file.as_ref())
            .map(PathBuf::as_path)
            .or(settings.become_password_file.as_deref()),
        "BECOME password: ",
    )?;
    // As with Ansible, an empty answer means the password to log in with.
    let become_password =
        become_password.and_then(|it| if it.expose().is_empty() { ssh_password.clone() } else { Some(it) });
    Ok(Options {
        check: run.check,
        diff: run.diff || settings.diff,
        forks: run.forks.unwrap_or(settings.forks),
        verbosity: run.verbose.max(settings.verbosity),
        tags: settings.tags.clone(),
        skip_tags: settings.skip_tags.clone(),
        limit: from.limit.clone(),
        remote_user: connect.user.clone().or_else(|| settings.remote_user.clone()),
        private_key: connect.private_key.clone().or_else(|| settings.private_key_file.clone()),
        connection: connect.connection.clone().or_else(|| settings.connection.clone()),
        become_: connect.become_ || settings.become_,
        become_method: connect.become_method.clone().or_else(|| settings.become_method.clone()),
        become_user: connect.become_user.clone().or_else(|| settings.become_user.clone()),
        become_exe: settings.become_exe.clone(),
        become_flags: settings.become_flags.clone(),
        ssh_password,
        become_password,
        timeout: Duration::from_secs(connect.timeout.unwrap_or(settings.timeout)),
        connection_retries: settings.connection_retries,
        host_keys: connect.host_key_check.map(Into::into).or(settings.host_keys),
        ssh_args,
        gathering: match settings.gathering.as_str() {
            "explicit" => Gathering::Explicit,
            "smart" => Gathering::Smart,
            _ => Gathering::Implicit,
        },
        fact_cache: fact_cache(settings)?,
        flush_cache: from.flush_cache,
        fact_path: settings.fact_path.clone(),
        strategy: settings.strategy.clone(),
        gather_subset: settings.gather_subset.clone(),
        force_handlers: settings.force_handlers,
        any_errors_fatal: settings.any_errors_fatal,
        no_log: settings.no_log,
        live: terminal::is_live(),
        ..Options::default()
    })
}

/// Where facts are kept.
fn fact_cache(settings: &Settings) -> Result<Option<FactCache>, Diagnostic> {
    let from = &settings.fact_cache;
    match &from.folder {
        _ if !from.files => Ok(None),
        None => Err(Diagnostic::error(
            code::SETTING_VALUE,
            "`fact_caching` is jsonfile, but `fact_caching_connection` does not say in which folder",
        )),
        Some(folder) => Ok(Some(FactCache {
            folder: folder.clone(),
            prefix: from.prefix.clone(),
            timeout: (from.timeout > 0).then(|| Duration::from_secs(from.timeout)),
        })),
    }
}

/// A password from a file, or from the user.
fn password(ask: bool, file: Option<&Path>, text: &str) -> Result<Option<Secret>, Diagnostic> {
    if let Some(path) = file {
        let read = std::fs::read_to_string(path).map(zeroize::Zeroizing::new);
        let read = read.map_err(|error| {
            Diagnostic::error(code::FILE_UNREADABLE, format!("can't read {}: {error}", path.display()))
        })?;
        return Ok(Some(Secret::new(read.trim_end_matches(['\r', '\n']))));
    }
    Ok(if ask { terminal::password(text) } else { None })
}

/// Magic variables that do not change during a run.
fn fixed_vars(options: &Options, inventory: &[String], settings: &Settings) -> Map {
    let (major, minor, patch) = ANSIBLE_VERSION;
    let full = format!("{major}.{minor}.{patch}");
    let version = Value::from_pairs([
        ("full", Value::from(full.as_str())),
        ("string", Value::from(full.as_str())),
        ("major", Value::from(major)),
        ("minor", Value::from(minor)),
        ("revision", Value::from(patch)),
    ]);
    let config = settings.file.as_ref().map(|path| path.to_string_lossy().into_owned());
    let sources = inventory.iter().map(|source| match Path::new(source) {
        list if source.contains(',') && !list.exists() => Value::from(source.as_str()),
        path => Value::from(crate::vars::absolute(path).to_string_lossy().into_owned()),
    });
    let mut vars = Map::from_iter([
        ("ansible_version".into(), version),
        ("ansible_check_mode".into(), Value::Bool(options.check)),
        ("ansible_diff_mode".into(), Value::Bool(options.diff)),
        ("ansible_forks".into(), Value::from(options.forks)),
        ("ansible_verbosity".into(), Value::from(i64::from(options.verbosity))),
        ("ansible_inventory_sources".into(), sources.collect()),
        ("ansible_config_file".into(), Value::from(config)),
        // No Python runs here; content that asks for it gets the name that would be looked up.
        ("ansible_playbook_python".into(), Value::from("python3")),
    ]);
    selection_vars(&mut vars, options);
    vars
}

/// What was asked to run: tags and the limit, which is not defined where there is none.
pub(super) fn selection_vars(vars: &mut Map, options: &Options) {
    let texts = |list: &[Str]| list.iter().cloned().map(Value::Str).collect::<Value>();
    let tags = if options.tags.is_empty() { vec![Str::from("all")] } else { options.tags.clone() };
    vars.insert("ansible_run_tags".into(), texts(&tags));
    vars.insert("ansible_skip_tags".into(), texts(&options.skip_tags));
    if let Some(limit) = &options.limit {
        vars.insert("ansible_limit".into(), Value::from(limit.as_str()));
    }
}
