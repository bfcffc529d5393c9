//! What a module says about itself and its arguments: for `regatta doc`, `regatta check` and the pages in docs/.
//!
//! The controller's alone: the worker is built without it.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use super::{ArgError, Map, decode, names};

/// A module's documentation and the check of its arguments.
pub struct Manual {
    /// See [`super::Module::EXAMPLES`].
    pub examples: &'static str,
    /// See [`super::Module::RETURNS`].
    pub returns: &'static str,
    /// Tries to read the arguments.
    pub validate: fn(&Map) -> Result<(), ArgError>,
    /// Every name that its arguments go by.
    pub names: fn() -> Vec<&'static str>,
    /// The JSON schema of its arguments, with its documentation.
    pub schema: fn() -> Schema,
}

impl Manual {
    pub(super) const fn of<T: DeserializeOwned + JsonSchema>(
        examples: &'static str,
        returns: &'static str,
    ) -> Manual {
        Manual {
            examples,
            returns,
            validate: |args| decode::<T>(args).map(drop),
            names: names::<T>,
            schema: schema_of::<T>,
        }
    }
}

/// With every type in its place, so that readers need not follow references.
fn schema_of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}
