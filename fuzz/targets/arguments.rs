//! Any mapping as the arguments of every module: the first byte chooses the module.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regatta::diag::Sources;
use regatta::modules::ALL;
use regatta::yaml::parse_text;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let entry = &ALL[usize::from(*first) % ALL.len()];
    for node in parse_text("args.yml", text, &Sources::default()).documents {
        if let regatta::value::Value::Map(args) = node.to_value() {
            let _ = (entry.manual.validate)(&args);
        }
    }
});
