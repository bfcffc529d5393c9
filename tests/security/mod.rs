//! Promises of docs/SECURITY.md, shown with real parts: another local user, hostile hosts, the process list.

mod confined;
mod ended;
mod facts;
mod literal;
mod passwords;
mod strings;
mod village;
mod writes;

/// What a host says in the hope that it is a template: run, it leaves a file behind.
const PAYLOAD: &str = "{{ lookup('pipe', 'touch pwn') }}";
