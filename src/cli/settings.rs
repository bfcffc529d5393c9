//! What `ansible.cfg` and the environment decide. The command line's own options win over all of it; `setup` joins them.
//!
//! A setting comes from the first of: `REGATTA_NAME`, `ANSIBLE_NAME`, the configuration file, the default.

mod ini;
mod others;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::connection::HostKeyCheck;
use crate::diag::{Diagnostic, Sources, Span, code};
use crate::output::Format;
use crate::playbook::LoadOptions;
use crate::value::Str;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A place in the configuration file.
    File(Span),
    /// An environment variable.
    Environment(String),
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// Where each setting that is not the default comes from, by its name in `[section] key` form.
    pub origins: BTreeMap<&'static str, Origin>,
    /// Sources of hosts.
    pub inventory: Vec<String>,
    /// Go on without the sources of hosts that can't be read.
    pub inventory_unparsed: bool,
    /// Folders of roles.
    pub roles_path: Vec<PathBuf>,
    /// Folders of collections.
    pub collections_path: Vec<PathBuf>,
    /// Folders of filter plugins.
    pub filter_plugins: Vec<PathBuf>,
    /// Folders of modules.
    pub library: Vec<PathBuf>,
    /// Hosts at the same time.
    pub forks: usize,
    /// The user to log in as.
    pub remote_user: Option<String>,
    /// The key to log in with.
    pub private_key_file: Option<PathBuf>,
    /// How to connect.
    pub connection: Option<String>,
    /// Seconds to connect and log in.
    pub timeout: u64,
    /// How often to try again to connect.
    pub connection_retries: u32,
    /// What to do with host keys, if said.
    pub host_keys: Option<HostKeyCheck>,
    /// Options for ssh, split: `ssh_args`, `ssh_common_args`, `ssh_extra_args`.
    pub ssh_args: Vec<String>,
    /// Ask for the password to log in with.
    pub ask_pass: bool,
    /// The file with that password.
    pub connection_password_file: Option<PathBuf>,
    /// Run tasks as another user.
    pub become_: bool,
    /// How to become that user.
    pub become_method: Option<String>,
    /// The user to become.
    pub become_user: Option<String>,
    /// The program that changes the user.
    pub become_exe: Option<String>,
    /// Options for that program.
    pub become_flags: Option<String>,
    /// Ask for the password to become that user.
    pub become_ask_pass: bool,
    /// The file with that password.
    pub become_password_file: Option<PathBuf>,
    /// Ask for the password of vaults.
    pub ask_vault_pass: bool,
    /// The file with that password, or a program that prints it.
    pub vault_password_file: Option<PathBuf>,
    /// Vaults as `--vault-id` takes them: `label@source`.
    pub vault_identity_list: Vec<String>,
    /// The vault id to encrypt with.
    pub vault_encrypt_identity: Option<String>,
    /// The salt to encrypt with instead of a random one.
    pub vault_encrypt_salt: Option<String>,
    /// Only a password of a text's own vault id is tried.
    pub vault_id_match: bool,
    /// Where facts are kept from run to run.
    pub fact_cache: CacheSettings,
    /// The folder of local facts on hosts.
    pub fact_path: Option<String>,
    /// The log file.
    pub log_path: Option<PathBuf>,
    /// Show the values of `set_stats` at the end.
    pub show_custom_stats: bool,
    /// `implicit`, `explicit` or `smart`.
    pub gathering: String,
    /// Which facts to gather.
    pub gather_subset: Option<String>,
    /// Run handlers even on hosts that failed.
    pub force_handlers: bool,
    /// A failure on one host ends the play.
    pub any_errors_fatal: bool,
    /// Hide all results.
    pub no_log: bool,
    /// Write the hosts that did not get through a playbook to a file, for `--limit @FILE`.
    pub retry_files: bool,
    /// Where those files go; beside the playbook if nothing is said.
    pub retry_folder: Option<PathBuf>,
    /// How hosts go through plays that do not say.
    pub strategy: Option<String>,
    /// Only tasks with one of these tags.
    pub tags: Vec<Str>,
    /// No tasks with one of these tags.
    pub skip_tags: Vec<Str>,
    /// Show before and after.
    pub diff: bool,
    /// How results are shown.
    pub output: Format,
    /// With colors, if said.
    pub color: Option<bool>,
    /// As `-v`, counted.
    pub verbosity: u8,
    /// Show the time that each task took.
    pub profile: bool,
    /// The file for a JUnit report, if one is wanted.
    pub junit: Option<PathBuf>,
    /// Show skipped hosts.
    pub display_skipped_hosts: bool,
    /// Show hosts where nothing changed.
    pub display_ok_hosts: bool,
    /// The variable `ansible_managed` of templates.
    pub ansible_managed: String,
}

/// The cache of facts, as `ansible.cfg` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Whether facts are kept in files at all (`jsonfile`).
    pub files: bool,
    /// The folder.
    pub folder: Option<PathBuf>,
    /// What file names begin with.
    pub prefix: String,
    /// Seconds that facts count; 0: for ever.
    pub timeout: u64,
}

/// The world that settings are read from.
pub(super) struct World {
    pub environment: BTreeMap<String, String>,
    /// The current folder.
    pub here: PathBuf,
    pub home: Option<PathBuf>,
    /// The folder with the machine's settings.
    pub system: PathBuf,
}

impl World {
    fn real() -> World {
        let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
        World {
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            here: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            home: std::env::home_dir(),
            system: PathBuf::from("/etc/ansible"),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads the settings of this process, and says what is wrong with them.
#[must_use]
pub fn load(sources: &Sources) -> (Settings, Vec<Diagnostic>) {
    load_from(&World::real(), sources)
}

fn load_from(world: &World, sources: &Sources) -> (Settings, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let file = find(world, &mut diagnostics);
    let entries = match &file {
        Some(path) => ini::read(path, sources, &mut diagnostics),
        None => Vec::new(),
    };
    let mut settings = Settings::standard(world);
    let base = file.as_deref().and_then(Path::parent).unwrap_or(&world.here).to_path_buf();
    settings.file = file;
    for line in table::SETTINGS {
        let Some((text, origin, base)) = given(line, world, &entries, &base) else { continue };
        let value = table::Given { text, base, world };
        if let Err(wanted) = (line.set)(&mut settings, &value) {
            diagnostics.push(wrong(line, text, &wanted, &origin));
        }
        settings.origins.insert(line.name, origin);
    }
    if world.variable("NO_COLOR").is_some() && settings.color.is_none() {
        settings.color = Some(false);
    }
    if settings.inventory.is_empty() {
        let hosts = world.system.join("hosts");
        settings.inventory.extend(hosts.exists().then(|| hosts.display().to_string()));
    }
    others::report(&entries, world, &mut diagnostics);
    (settings, diagnostics)
}

/// The text of a setting and where it comes from; none: the default counts.
fn given<'a>(
    line: &table::Setting,
    world: &'a World,
    entries: &'a [ini::Entry],
    base: &'a Path,
) -> Option<(&'a str, Origin, &'a Path)> {
    let ours = line.env.iter().filter_map(|name| Some(format!("REGATTA_{}", name.strip_prefix("ANSIBLE_")?)));
    let theirs = line.env.iter().map(ToString::to_string);
    for name in ours.chain(theirs) {
        if let Some(text) = world.variable(&name) {
            return Some((text, Origin::Environment(name), &world.here));
        }
    }
    let own = |entry: &&ini::Entry| line.ini.iter().any(|(section, key)| entry.is(section, key));
    let entry = entries.iter().rev().find(own)?;
    Some((&entry.value, Origin::File(entry.value_at), base))
}

fn wrong(line: &table::Setting, text: &str, wanted: &str, origin: &Origin) -> Diagnostic {
    let message = format!("`{}` must be {wanted}, but is `{text}`", line.name);
    let wrong = Diagnostic::error(code::SETTING_VALUE, message);
    match origin {
        Origin::File(span) => wrong.at(*span),
        Origin::Environment(name) => wrong.note(format!("from the environment variable {name}")),
    }
}

/// The configuration file: the one that the environment names, else the first of those here, at home, on the machine.
fn find(world: &World, diagnostics: &mut Vec<Diagnostic>) -> Option<PathBuf> {
    let named =
        ["REGATTA_CONFIG", "ANSIBLE_CONFIG"].iter().find_map(|name| Some((*name, world.variable(name)?)));
    if let Some((name, text)) = named {
        let mut path = table::path(text, &world.here, world);
        if path.is_dir() {
            path.push("ansible.cfg");
        }
        if path.exists() {
            return Some(path);
        }
        let message = format!("{name} names {}, which does not exist", path.display());
        diagnostics.push(Diagnostic::warning(code::FILE_UNREADABLE, message));
    }
    let here = world.here.join("ansible.cfg");
    if here.exists() {
        if !writable_by_all(&world.here) {
            return Some(here);
        }
        let message = format!("{} is not read: everybody may write into its folder", here.display());
        let help = "take the permission away (`chmod o-w .`), or name the file in ANSIBLE_CONFIG";
        diagnostics.push(Diagnostic::warning(code::SETTING_IGNORED, message).help(help));
    }
    let home = world.home.as_ref().map(|home| home.join(".ansible.cfg"));
    home.into_iter().chain([world.system.join("ansible.cfg")]).find(|path| path.is_file())
}

fn writable_by_all(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(dir).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0)
}

impl Settings {
    fn standard(world: &World) -> Settings {
        let home = world.home.clone().unwrap_or_else(|| PathBuf::from("/root"));
        let LoadOptions { roles_path, collections_path, library } = LoadOptions::standard(&home);
        Settings {
            file: None,
            origins: BTreeMap::new(),
            inventory: Vec::new(),
            roles_path,
            collections_path,
            filter_plugins: Vec::new(),
            library,
            forks: 50,
            remote_user: None,
            private_key_file: None,
            connection: None,
            timeout: 10,
            connection_retries: 0,
            host_keys: None,
            ssh_args: Vec::new(),
            ask_pass: false,
            connection_password_file: None,
            become_: false,
            become_method: None,
            become_user: None,
            become_exe: None,
            become_flags: None,
            become_ask_pass: false,
            become_password_file: None,
            ask_vault_pass: false,
            vault_password_file: None,
            vault_identity_list: Vec::new(),
            vault_encrypt_identity: None,
            vault_encrypt_salt: None,
            vault_id_match: false,
            fact_cache: CacheSettings { timeout: 86_400, ..CacheSettings::default() },
            fact_path: None,
            log_path: None,
            show_custom_stats: false,
            gathering: "implicit".into(),
            gather_subset: None,
            force_handlers: false,
            any_errors_fatal: false,
            no_log: false,
            inventory_unparsed: false,
            retry_files: false,
            retry_folder: None,
            strategy: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            diff: false,
            output: Format::Human,
            color: None,
            verbosity: 0,
            profile: false,
            junit: None,
            display_skipped_hosts: true,
            display_ok_hosts: true,
            ansible_managed: "Ansible managed".into(),
        }
    }
}
