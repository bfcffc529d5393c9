//! The vault passwords that options, settings and the user give.
//!
//! What stands in files is decrypted elsewhere; here it is only found out with which passwords.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::cli::settings::Settings;
use crate::cli::terminal;
use crate::diag::{Diagnostic, code};
use crate::vault::{self, DEFAULT_ID, Key, Keyring, Purpose, Source};

/// Options for vault passwords.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Vault")]
pub(in crate::cli) struct VaultOptions {
    /// A vault password: label@prompt, label@file or label@program
    #[arg(long = "vault-id", value_name = "ID", action = ArgAction::Append)]
    pub(in crate::cli) vault_id: Vec<String>,
    /// Read the vault password from a file, or from a program that prints it
    #[arg(
        long = "vault-password-file",
        visible_alias = "vault-pass-file",
        value_name = "FILE",
        action = ArgAction::Append
    )]
    pub(in crate::cli) vault_password_file: Vec<PathBuf>,
    /// Ask for the vault password
    #[arg(
        short = 'J',
        long = "ask-vault-pass",
        visible_alias = "ask-vault-password",
        conflicts_with = "vault_password_file"
    )]
    pub(in crate::cli) ask_vault_pass: bool,
}

/// Vault ids and their sources, in the order in which passwords are tried.
fn sources(options: &VaultOptions, settings: &Settings, ask: bool) -> Vec<(String, Source)> {
    let listed = settings.vault_identity_list.iter().chain(&options.vault_id).map(|id| Source::parse(id));
    let files = options.vault_password_file.iter().chain(&settings.vault_password_file);
    let files = files.map(|path| {
        let source = match Source::parse(&path.to_string_lossy()) {
            // An `@` in the name of a file is no label.
            (id, source) if id == DEFAULT_ID => source,
            _ => Source::Path(path.clone()),
        };
        (DEFAULT_ID.to_owned(), source)
    });
    let mut all: Vec<(String, Source)> = listed.chain(files).collect();
    if options.ask_vault_pass || settings.ask_vault_pass || (ask && all.is_empty()) {
        all.push((DEFAULT_ID.to_owned(), Source::AskPass));
    }
    all
}

/// Gets all passwords. `ask`: the user is asked if nothing else gives one. With the warnings about sources that gave none.
pub(in crate::cli) fn keyring(
    options: &VaultOptions,
    settings: &Settings,
    purpose: Purpose,
    ask: bool,
) -> Result<(Keyring, Vec<Diagnostic>), Diagnostic> {
    let wrong = |why: String| Diagnostic::error(code::VAULT_PASSWORD, why);
    let (mut keys, mut failed): (Vec<Key>, Vec<String>) = (Vec::new(), Vec::new());
    for (id, source) in sources(options, settings, ask) {
        let known = Keyring::new(keys.clone(), settings.vault_id_match);
        match vault::password(&id, &source, purpose, &known, &terminal::password) {
            Ok(Some(password)) => keys.push(Key { id, password }),
            Ok(None) => failed.push(format!("the vault password program has no password for `{id}`")),
            Err(why) if matches!(source, Source::Path(_)) => failed.push(why),
            Err(why) => return Err(wrong(why)),
        }
    }
    if keys.is_empty()
        && let Some(why) = failed.pop()
    {
        return Err(wrong(why));
    }
    let warnings = failed.into_iter().map(|why| Diagnostic::warning(code::VAULT_PASSWORD, why)).collect();
    Ok((Keyring::new(keys, settings.vault_id_match), warnings))
}

/// The key to encrypt with: the one that is named, or the only one.
pub(super) fn to_encrypt<'a>(
    keyring: &'a Keyring,
    named: Option<&str>,
    settings: &Settings,
) -> Result<&'a Key, String> {
    let ids: Vec<&str> = keyring.keys().iter().map(|key| key.id.as_str()).collect();
    match (named.or(settings.vault_encrypt_identity.as_deref()), keyring.keys()) {
        (Some(id), keys) => keys.iter().find(|key| key.id == id).ok_or_else(|| {
            format!("there is no password for the vault id `{id}`; there are: {}", ids.join(", "))
        }),
        (None, [key]) => Ok(key),
        (None, [first, rest @ ..]) if rest.iter().all(|key| key.id == first.id) => Ok(first),
        (None, []) => Err("there is no vault password to encrypt with".into()),
        (None, _) => Err(format!(
            "there are passwords for the vault ids {}: say with --encrypt-vault-id which one encrypts",
            ids.join(", ")
        )),
    }
}
