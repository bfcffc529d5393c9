//! Connections over SSH to real servers, and to hostile ones.

mod commands;
mod host_keys;
mod hostile;
mod login;
mod questions;
mod ways;

use std::sync::Arc;

use regatta::connection::ssh::{SshContext, connect};
use regatta::connection::{ConnectError, Target};

/// The error of a connection that must not come about.
async fn refused(target: &Target, context: &Arc<SshContext>) -> ConnectError {
    match connect(target, context).await {
        Ok(_) => panic!("the connection came about"),
        Err(error) => error,
    }
}
