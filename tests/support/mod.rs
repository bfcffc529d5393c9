//! What tests need around them: real servers and clients' homes, all in temporary folders and on loopback addresses.

pub mod files;
pub mod kubernetes;
pub mod liar;
pub mod run;
pub mod sshd;
pub mod watch;
