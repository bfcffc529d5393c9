//! `template`: template files, rendered. The result is data, never a template again.

use crate::value::Value;

use super::super::files::FileOptions;
use super::super::literal;
use super::{Call, Outcome};

pub(super) fn template(call: &Call<'_>) -> Outcome {
    let convert = call.flag("convert_data", true)? && !call.flag("jinja2_native", false)?;
    let defaults = FileOptions::default();
    let options = FileOptions {
        trim_blocks: call.flag("trim_blocks", defaults.trim_blocks)?,
        lstrip_blocks: call.flag("lstrip_blocks", defaults.lstrip_blocks)?,
        variable_start_string: call.text("variable_start_string"),
        variable_end_string: call.text("variable_end_string"),
        block_start_string: call.text("block_start_string"),
        block_end_string: call.text("block_end_string"),
        comment_start_string: call.text("comment_start_string"),
        comment_end_string: call.text("comment_end_string"),
        extra: call.option("template_vars").cloned().map(Value::into_map).unwrap_or_default(),
        ..defaults
    };
    let mut out = Vec::new();
    for name in call.words() {
        let path = call.find("templates", &name).ok_or_else(|| format!("there is no template `{name}`"))?;
        let text = call.context.engine().file(&path, &options, call.context)?;
        let data = convert.then(|| literal::parse(&text)).flatten();
        out.push(data.unwrap_or_else(|| Value::from(text)));
    }
    Ok(out)
}
