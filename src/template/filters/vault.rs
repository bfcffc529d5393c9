//! `vault` and `unvault`: text encrypted with a password that the template gives.
//!
//! Not the passwords of the run: those decrypt `!vault` values and files by themselves.

use minijinja::State;
use minijinja::value::Value;

use super::{Args, Filter, Outcome, filter};
use crate::secret::Secret;
use crate::vault::{Envelope, is_encrypted};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "vault",
        "value, secret, salt=, vault_id=, wrap_object=",
        vault,
        "the text encrypted as ansible-vault does",
    ),
    filter("unvault", "value, secret, vault_id=", unvault, "the plain text of an encrypted one"),
];

/// The vault id that the result is marked with where none is given.
const ID: &str = "filter_default";

fn secret(args: &Args) -> Outcome<Secret> {
    Ok(Secret::new(args.str("secret")?))
}

fn vault(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.str("value")?;
    let salt = args.some("salt").map(|_| args.text("salt").into_owned());
    let id = args.str_or("vault_id", ID)?;
    Envelope::seal(text.as_bytes(), &secret(args)?, Some(id), salt.as_deref().map(str::as_bytes))
        .map(Value::from)
        .map_err(|why| args.fail(why))
}

fn unvault(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.str("value")?;
    // A `!vault` value is plain text already.
    if !is_encrypted(text.as_bytes()) {
        return Ok(Value::from(text));
    }
    let envelope = Envelope::parse(text.as_bytes()).map_err(|why| args.fail(why))?;
    let plain = envelope.open(&secret(args)?).ok_or_else(|| args.fail("this is not the password"))?;
    String::from_utf8(plain.to_vec()).map(Value::from).map_err(|_| args.fail("the plain text is not UTF-8"))
}
