//! Any text as a known_hosts file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regatta::connection::ssh::known_hosts::Entry;

fuzz_target!(|text: &str| {
    for (number, line) in text.lines().enumerate() {
        if let Ok(Some(entry)) = Entry::parse(number, line) {
            let _ = entry.is_for("[web1]:2222");
            let _ = entry.key();
        }
    }
});
