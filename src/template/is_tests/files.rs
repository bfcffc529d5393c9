//! Tests of paths on the controller, of URLs, and of encrypted text.

use std::fs;
use std::os::unix::fs::MetadataExt;

use minijinja::State;

use super::{Args, Outcome, Test, test};
use crate::template::filters::python;
use crate::template::functions;
use crate::vault;

pub(super) const TESTS: &[Test] = &[
    test("exists", "path", |_, a| Ok(fs::metadata(&*a.text("path")).is_ok()), "whether the path exists"),
    test(
        "link_exists",
        "path",
        |_, a| Ok(fs::symlink_metadata(&*a.text("path")).is_ok()),
        "as exists, for links",
    ),
    test("file", "path", file, "whether it is a regular file"),
    test("is_file", "path", file, "whether it is a regular file"),
    test("directory", "path", directory, "whether it is a folder"),
    test("is_dir", "path", directory, "whether it is a folder"),
    test("link", "path", link, "whether it is a symbolic link"),
    test("is_link", "path", link, "whether it is a symbolic link"),
    test("abs", "path", |_, a| Ok(a.text("path").starts_with('/')), "whether the path begins at the root"),
    test("is_abs", "path", |_, a| Ok(a.text("path").starts_with('/')), "whether the path begins at the root"),
    test("same_file", "a, b", same, "whether two paths lead to one file"),
    test("is_same_file", "a, b", same, "whether two paths lead to one file"),
    test("mount", "path", mount, "whether something is mounted there"),
    test("is_mount", "path", mount, "whether something is mounted there"),
    test("vault_encrypted", "value", encrypted, "whether the text is from a vault"),
    test("vaulted_file", "path", vaulted, "whether the file is from a vault"),
    test("uri", "value, schemes=", uri, "whether it is a URI, of one of the schemes"),
    test("url", "value, schemes=", url, "whether it is a URI with an authority"),
    test("urn", "value", urn, "whether it is a URN"),
];

fn file(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    Ok(fs::metadata(&*args.text("path")).is_ok_and(|it| it.is_file()))
}

fn directory(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    Ok(fs::metadata(&*args.text("path")).is_ok_and(|it| it.is_dir()))
}

fn link(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    Ok(fs::symlink_metadata(&*args.text("path")).is_ok_and(|it| it.is_symlink()))
}

fn same(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let look = |name: &str| {
        let path = args.text(name);
        fs::metadata(&*path).map_err(|error| args.fail(format!("{path}: {error}")))
    };
    let (a, b) = (look("a")?, look("b")?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

fn mount(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let path = args.text("path");
    let (Ok(here), Ok(above)) = (fs::symlink_metadata(&*path), fs::symlink_metadata(format!("{path}/..")))
    else {
        return Ok(false);
    };
    Ok(!here.is_symlink() && (here.dev() != above.dev() || here.ino() == above.ino()))
}

/// What the templates see of a `!vault` value is its plain text, so the passwords remember which texts those are.
fn encrypted(state: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let text = args.text("value");
    Ok(functions::context(state).is_ok_and(|context| context.engine().keyring().is_value(&text)))
}

fn vaulted(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let path = args.text("path");
    let read = fs::read(&*path).map_err(|error| args.fail(format!("{path}: {error}")))?;
    Ok(vault::is_encrypted(&read))
}

/// Scheme and authority, as Python's `urlparse` splits them.
fn parts(text: &str) -> (&str, &str) {
    let scheme = text.find(':').map(|at| &text[..at]).filter(|it| {
        it.starts_with(|c: char| c.is_ascii_alphabetic())
            && it.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let rest = scheme.map_or(text, |it| &text[it.len() + 1..]);
    let authority = rest.strip_prefix("//").map(|it| it.split(['/', '?', '#']).next().unwrap_or_default());
    (scheme.unwrap_or_default(), authority.unwrap_or_default())
}

fn allowed(args: &Args, scheme: &str) -> Outcome<bool> {
    let Some(schemes) = args.some("schemes") else { return Ok(true) };
    Ok(python::items(schemes)?.iter().any(|it| it.as_str() == Some(scheme)))
}

/// Any text is a URI for Python's `urlparse`; only a list of schemes narrows it.
fn uri(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    allowed(args, &parts(&args.text("value")).0.to_lowercase())
}

fn url(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let text = args.text("value");
    let (scheme, authority) = parts(&text);
    Ok(!scheme.is_empty() && !authority.is_empty() && allowed(args, &scheme.to_lowercase())?)
}

fn urn(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    Ok(parts(&args.text("value")).0.eq_ignore_ascii_case("urn"))
}
