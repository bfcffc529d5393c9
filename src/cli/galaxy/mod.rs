//! `regatta galaxy`: installs roles and collections from git, archives and folders, without a server.

mod archive;
mod collections;
mod fetch;
mod requirements;
mod roles;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::common::{Exit, private_folder};
use super::settings::{self, Settings};
use super::terminal;
use crate::diag::{Sources, render};
use requirements::{Kind, Requirement};

/// Options of `regatta galaxy` and `ansible-galaxy`.
#[derive(Clone, Debug, Args)]
pub(super) struct GalaxyArgs {
    #[command(subcommand)]
    command: GalaxyCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum GalaxyCommand {
    /// Install the roles and collections of a requirements file, or roles by name
    Install(InstallArgs),
    /// Install, list and remove roles
    #[command(subcommand)]
    Role(Content),
    /// Install and list collections
    #[command(subcommand)]
    Collection(Content),
}

#[derive(Clone, Debug, Subcommand)]
enum Content {
    /// Install what is named, or what a requirements file lists
    Install(InstallArgs),
    /// List what is installed
    List(PlaceArgs),
    /// Remove what is installed
    Remove(RemoveArgs),
}

/// Options of `install`.
#[derive(Clone, Debug, Args)]
struct InstallArgs {
    /// What to install: a git address, an archive or a folder; `,version` may follow
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// A file that lists what to install
    #[arg(short = 'r', long = "requirements-file", visible_alias = "role-file", value_name = "FILE")]
    requirements: Option<PathBuf>,
    /// Replace what is installed
    #[arg(short = 'f', long = "force", visible_alias = "force-with-deps")]
    force: bool,
    /// Do not install what the content depends on
    #[arg(short = 'n', long = "no-deps")]
    no_deps: bool,
    /// Go on with the others when one can't be installed
    #[arg(short = 'i', long = "ignore-errors")]
    ignore_errors: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Clone, Debug, Args)]
struct PlaceArgs {
    /// The folder of roles, or the folder that holds ansible_collections
    #[arg(short = 'p', long = "roles-path", visible_alias = "collections-path", value_name = "FOLDER")]
    path: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
struct RemoveArgs {
    /// The names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Where content goes, and how.
struct Target<'a> {
    folder: &'a Path,
    force: bool,
    dependencies: bool,
}

/// Runs the command.
pub(super) fn main(args: &GalaxyArgs) -> Exit {
    let sources = Sources::default();
    let (settings, problems) = settings::load(&sources);
    let color = terminal::theme(None, settings.color).color;
    problems.iter().for_each(|problem| terminal::complain(&render(problem, &sources, color)));
    let done = match &args.command {
        GalaxyCommand::Install(args) => install(args, None, &settings, &sources),
        GalaxyCommand::Role(Content::Install(args)) => install(args, Some(Kind::Role), &settings, &sources),
        GalaxyCommand::Collection(Content::Install(args)) => {
            install(args, Some(Kind::Collection), &settings, &sources)
        }
        GalaxyCommand::Role(Content::List(args)) => {
            terminal::print(&roles::list(&folders(args.path.as_deref(), &settings.roles_path)));
            Ok(())
        }
        GalaxyCommand::Collection(Content::List(args)) => {
            terminal::print(&collections::list(&folders(args.path.as_deref(), &settings.collections_path)));
            Ok(())
        }
        GalaxyCommand::Role(Content::Remove(args)) => {
            remove(args, &folders(args.place.path.as_deref(), &settings.roles_path), &roles::folder_of)
        }
        GalaxyCommand::Collection(Content::Remove(args)) => {
            let all = folders(args.place.path.as_deref(), &settings.collections_path);
            remove(args, &all, &collections::folder_of)
        }
    };
    match done {
        Ok(()) => Exit::Ok,
        Err(why) => {
            terminal::complain(&format!("error: {why}\n"));
            Exit::Error
        }
    }
}

/// The given folder, or those of the settings.
fn folders(given: Option<&Path>, known: &[PathBuf]) -> Vec<PathBuf> {
    given.map_or_else(|| known.to_vec(), |path| vec![path.to_path_buf()])
}

fn install(
    args: &InstallArgs,
    only: Option<Kind>,
    settings: &Settings,
    sources: &Sources,
) -> Result<(), String> {
    let mut wanted: Vec<Requirement> = Vec::new();
    for source in &args.sources {
        wanted.push(Requirement::of_text(source, only.unwrap_or(Kind::Role))?);
    }
    if let Some(file) = &args.requirements {
        wanted.extend(requirements::read(file, only, sources)?);
    }
    if args.sources.is_empty() && args.requirements.is_none() {
        return Err("say what to install, or give a file with -r".into());
    }
    let (mut failed, first) = (0, |list: &[PathBuf]| list.first().cloned().unwrap_or_else(|| ".".into()));
    for requirement in wanted {
        let folder = match (&args.place.path, requirement.kind) {
            (Some(path), _) => path.clone(),
            (None, Kind::Role) => first(&settings.roles_path),
            (None, Kind::Collection) => first(&settings.collections_path),
        };
        let target = Target { folder: &folder, force: args.force, dependencies: !args.no_deps };
        let done = match requirement.kind {
            Kind::Role => roles::install(&requirement, &target, &mut Vec::new(), sources),
            Kind::Collection => collections::install(&requirement, &target, sources),
        };
        match done {
            Ok(()) => {}
            Err(why) if args.ignore_errors => {
                failed += 1;
                terminal::complain(&format!("warning: {}: {why}\n", requirement.source));
            }
            Err(why) => return Err(format!("{}: {why}", requirement.source)),
        }
    }
    if failed > 0 {
        terminal::complain(&format!("warning: {failed} could not be installed\n"));
    }
    Ok(())
}

fn remove(
    args: &RemoveArgs,
    folders: &[PathBuf],
    folder_of: &dyn Fn(&Path, &str) -> Option<PathBuf>,
) -> Result<(), String> {
    for name in &args.names {
        let found = folders.iter().filter_map(|folder| folder_of(folder, name)).find(|path| path.is_dir());
        let Some(path) = found else {
            terminal::print(&format!("- {name} is not installed, skipping.\n"));
            continue;
        };
        std::fs::remove_dir_all(&path)
            .map_err(|error| format!("can't remove {}: {error}", path.display()))?;
        terminal::print(&format!("- successfully removed {name}\n"));
    }
    Ok(())
}

/// Puts a finished folder in its place; what was there before is gone only when the new one stands.
fn put(from: &Path, to: &Path) -> Result<(), String> {
    let why = |error: std::io::Error| format!("can't write {}: {error}", to.display());
    let parent = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(why)?;
    let staged = private_folder(parent).map_err(why)?;
    let (new, old) = (staged.path().join("new"), staged.path().join("old"));
    fetch::copy_tree(from, &new, &|_| true)?;
    if to.exists() {
        std::fs::rename(to, &old).map_err(why)?;
    }
    std::fs::rename(&new, to).map_err(why)
}

/// A name that is a folder's, and never leads out of another.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains(['/', '\\', '\0'])
}
