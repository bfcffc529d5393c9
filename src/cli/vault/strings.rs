//! `regatta vault encrypt-string`: texts as `!vault` values, to be pasted into YAML files.

use std::io::{self, Read};
use std::path::PathBuf;

use clap::{ArgAction, Args};
use zeroize::Zeroizing;

use super::{Tool, VaultOptions, fail, files};
use crate::cli::common::Exit;
use crate::cli::terminal;
use crate::engine::Prompt;
use crate::vault::Purpose;

/// Options of `regatta vault encrypt-string`.
#[derive(Clone, Debug, Args)]
pub(super) struct StringArgs {
    /// The texts; `-` is standard input
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
    /// The name of the variable, once for each text
    #[arg(short = 'n', long = "name", value_name = "NAME", action = ArgAction::Append)]
    names: Vec<String>,
    /// The name of the variable for standard input
    #[arg(long = "stdin-name", value_name = "NAME")]
    stdin_name: Option<String>,
    /// Ask for the text
    #[arg(short = 'p', long = "prompt")]
    prompt: bool,
    /// Show the text while it is typed
    #[arg(long = "show-input")]
    show_input: bool,
    /// Write here instead of standard output
    #[arg(long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Encrypt with the password of this vault id
    #[arg(long = "encrypt-vault-id", value_name = "ID")]
    encrypt_vault_id: Option<String>,
    #[command(flatten)]
    vault: VaultOptions,
}

/// A text, and the variable that it is for.
type Text = (Option<String>, Zeroizing<String>);

pub(super) fn run(args: &StringArgs) -> Result<(), Exit> {
    let tool = Tool::open(&args.vault, Purpose::New)?;
    encrypt(&tool, args).map_err(fail)
}

fn encrypt(tool: &Tool, args: &StringArgs) -> Result<(), String> {
    let key = tool.key_to_encrypt(args.encrypt_vault_id.as_deref())?;
    let mut out = String::new();
    for (name, text) in texts(args)? {
        if text.is_empty() {
            return Err("there is no text to encrypt".into());
        }
        if let Some(name) = name {
            out.push_str(&format!("{name}: "));
        }
        out.push_str("!vault |\n");
        for line in tool.seal(text.as_bytes(), key)?.lines() {
            out.push_str(&format!("          {line}\n"));
        }
    }
    files::write(args.output.as_deref(), out.as_bytes(), 0o600)?;
    terminal::remark("Encryption successful");
    Ok(())
}

/// What is to be encrypted: what is typed first, then standard input, then the command line.
fn texts(args: &StringArgs) -> Result<Vec<Text>, String> {
    let mut all = Vec::new();
    let given: Vec<&String> = args.texts.iter().filter(|text| *text != "-").collect();
    if args.prompt {
        let name = terminal::Terminal.ask("Variable name (enter for no name): ", false);
        let text = terminal::Terminal.ask("String to encrypt: ", !args.show_input);
        let text = text.ok_or("there is nobody to ask for the text")?;
        all.push((name.filter(|name| !name.is_empty()), Zeroizing::new(text)));
    }
    let has_dash = args.texts.len() > given.len();
    if has_dash || args.stdin_name.is_some() || (given.is_empty() && !args.prompt) {
        terminal::remark("Reading plaintext input from stdin, ending with Ctrl-D");
        let mut text = Zeroizing::new(String::new());
        io::stdin().lock().read_to_string(&mut text).map_err(|error| format!("can't read: {error}"))?;
        all.push((args.stdin_name.clone(), text));
    }
    if args.names.len() > given.len() {
        return Err("there are more --name options than texts".into());
    }
    let mut names = args.names.iter().cloned();
    all.extend(given.into_iter().map(|text| (names.next(), Zeroizing::new(text.clone()))));
    Ok(all)
}
