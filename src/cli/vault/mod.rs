//! `regatta vault`: encrypts, decrypts, shows and edits files and texts as `ansible-vault` does.

mod editor;
mod files;
pub(super) mod keys;
mod strings;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::common::Exit;
use super::settings::{self, Settings};
use super::terminal;
use crate::diag::{Sources, render};
use crate::vault::{Envelope, Key, Keyring, Purpose};
pub(super) use keys::VaultOptions;

/// Options of `regatta vault` and `ansible-vault`.
#[derive(Clone, Debug, Args)]
pub(super) struct VaultArgs {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum VaultCommand {
    /// Encrypt files in place, or standard input
    Encrypt(FileArgs),
    /// Decrypt files in place, or standard input
    Decrypt(FileArgs),
    /// Print the plain contents of files
    View(FileArgs),
    /// Write a new encrypted file in an editor
    Create(FileArgs),
    /// Edit an encrypted file
    Edit(FileArgs),
    /// Encrypt files with another password
    Rekey(RekeyArgs),
    /// Encrypt texts as values for YAML files
    #[command(visible_alias = "encrypt_string")]
    EncryptString(strings::StringArgs),
}

/// Options of the commands that work on files.
#[derive(Clone, Debug, Args)]
struct FileArgs {
    /// The files; `-` or none: standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write here instead; `-` is standard output
    #[arg(long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Encrypt with the password of this vault id
    #[arg(long = "encrypt-vault-id", value_name = "ID")]
    encrypt_vault_id: Option<String>,
    /// Start the editor even if standard output is no terminal
    #[arg(long = "skip-tty-check")]
    skip_tty_check: bool,
    #[command(flatten)]
    vault: VaultOptions,
}

/// Options of `regatta vault rekey`.
#[derive(Clone, Debug, Args)]
struct RekeyArgs {
    /// The new vault password: label@prompt, label@file or label@program
    #[arg(long = "new-vault-id", value_name = "ID", conflicts_with = "new_vault_password_file")]
    new_vault_id: Option<String>,
    /// Read the new vault password from a file, or from a program that prints it
    #[arg(long = "new-vault-password-file", value_name = "FILE")]
    new_vault_password_file: Option<PathBuf>,
    #[command(flatten)]
    files: FileArgs,
}

/// What every command of the vault works with.
struct Tool {
    settings: Settings,
    keyring: Keyring,
}

impl Tool {
    /// Reads the settings and gets the passwords.
    fn open(options: &VaultOptions, purpose: Purpose) -> Result<Tool, Exit> {
        let sources = Sources::default();
        let (settings, mut problems) = settings::load(&sources);
        let color = terminal::theme(None, settings.color).color;
        let found = keys::keyring(options, &settings, purpose, true);
        let (keyring, failed) = match found {
            Ok((keyring, warnings)) => {
                problems.extend(warnings);
                (Some(keyring), false)
            }
            Err(problem) => {
                problems.push(problem);
                (None, true)
            }
        };
        problems.iter().for_each(|problem| terminal::complain(&render(problem, &sources, color)));
        match keyring {
            Some(keyring) if !failed => Ok(Tool { settings, keyring }),
            _ => Err(Exit::Error),
        }
    }

    /// Encrypts with a key; its vault id is marked in the text.
    fn seal(&self, plain: &[u8], key: &Key) -> Result<String, String> {
        let salt = self.settings.vault_encrypt_salt.as_deref().map(str::as_bytes);
        Envelope::seal(plain, &key.password, Some(&key.id), salt)
    }

    fn key_to_encrypt(&self, named: Option<&str>) -> Result<&Key, String> {
        keys::to_encrypt(&self.keyring, named, &self.settings)
    }
}

/// Runs the command.
pub(super) fn main(args: &VaultArgs) -> Exit {
    let done = match &args.command {
        VaultCommand::Encrypt(args) => run(args, Purpose::New, files::encrypt),
        VaultCommand::Decrypt(args) => run(args, Purpose::Known, files::decrypt),
        VaultCommand::View(args) => run(args, Purpose::Known, files::view),
        VaultCommand::Create(args) => run(args, Purpose::New, files::create),
        VaultCommand::Edit(args) => run(args, Purpose::Known, files::edit),
        VaultCommand::Rekey(args) => {
            run(&args.files, Purpose::Known, |tool, files| files::rekey(tool, files, new_key(tool, args)?))
        }
        VaultCommand::EncryptString(args) => strings::run(args),
    };
    done.err().unwrap_or(Exit::Ok)
}

fn run(
    args: &FileArgs,
    purpose: Purpose,
    work: impl FnOnce(&Tool, &FileArgs) -> Result<(), String>,
) -> Result<(), Exit> {
    let tool = Tool::open(&args.vault, purpose)?;
    work(&tool, args).map_err(fail)
}

/// Says why a command did not do its work.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn fail(why: String) -> Exit {
    terminal::complain(&format!("error: {why}\n"));
    Exit::Error
}

/// The password to encrypt with from now on.
fn new_key(tool: &Tool, args: &RekeyArgs) -> Result<Key, String> {
    let options = VaultOptions {
        vault_id: args.new_vault_id.iter().cloned().collect(),
        vault_password_file: args.new_vault_password_file.iter().cloned().collect(),
        ask_vault_pass: false,
    };
    let settings = Settings {
        vault_identity_list: Vec::new(),
        vault_password_file: None,
        ask_vault_pass: false,
        ..tool.settings.clone()
    };
    let (keyring, _) =
        keys::keyring(&options, &settings, Purpose::New, true).map_err(|problem| problem.message)?;
    keyring.keys().first().cloned().ok_or_else(|| "there is no new vault password".to_owned())
}
