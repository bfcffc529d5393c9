//! Connections over SSH, by russh. What OpenSSH's client would do with the same files, variables and arguments is done here
//! too, as far as it matters for running programs: `settings` puts them together, `link` and `proxy` reach the
//! host, `session` holds the talk with it, `host_key` and `known_hosts` decide whom to trust, `auth` logs in.

mod args;
mod auth;
mod clock;
mod config;
mod context;
mod host_key;
mod jump;
pub mod known_hosts;
mod link;
mod pattern;
mod pipe;
mod proxy;
mod questions;
mod session;
mod settings;
mod tokens;
mod tunnel;

use std::sync::Arc;
use std::time::Duration;

pub use context::{Prompt, SshContext, SshEnvironment};

use self::clock::Clock;
use self::link::Stream;
use self::proxy::Way;
use self::session::Session;
use self::settings::Route;
use super::{ConnectError, Connection, Target};

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Connects to a host and logs in. Dropping the future gives up at once and leaves nothing behind. Commands end when the
/// connection is dropped.
///
/// # Errors
/// Whatever keeps the host from being used; each attempt ends within the target's timeout.
pub async fn connect(
    target: &Target,
    context: &Arc<SshContext>,
) -> Result<Arc<dyn Connection>, ConnectError> {
    let way = {
        let (target, context) = (target.clone(), context.clone());
        let found = tokio::task::spawn_blocking(move || Way::find(&target, &context));
        found.await.map_err(|error| ConnectError::Config(error.to_string()))??
    };
    Ok(reach(&way, context).await?)
}

/// Connects, as often as the settings allow.
async fn reach(way: &Way, context: &Arc<SshContext>) -> Result<Arc<Session>, ConnectError> {
    let mut wait = Duration::from_secs(1);
    let mut left = way.settings.attempts;
    loop {
        left = left.saturating_sub(1);
        match establish(way, context).await {
            Err(error) if left > 0 && may_pass(&error) => tokio::time::sleep(wait).await,
            done => return done.map(Arc::new),
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether trying again may help.
fn may_pass(error: &ConnectError) -> bool {
    use ConnectError::{Auth, Config, Connect, HostKey, Lost, Resolve, Timeout, Worker};
    match error {
        Resolve { .. } | Connect { .. } | Timeout { .. } | Lost { .. } => true,
        HostKey(_) | Auth(_) | Config(_) | Worker(_) => false,
    }
}

async fn establish(way: &Way, context: &Arc<SshContext>) -> Result<Session, ConnectError> {
    let settings = &way.settings;
    let via = way.before(context).await?;
    // The hosts on the way had clocks of their own.
    let clock = Clock::start(settings.timeout);
    clock
        .limit(&settings.address(), async {
            let stream: Box<dyn Stream> = match (&settings.route, &via) {
                (Route::Command(text), _) => {
                    clock.enter(clock::stage::CONNECT);
                    proxy::command(text, settings)?
                }
                (_, Some(via)) => {
                    clock.enter(clock::stage::CONNECT);
                    via.tunnel(&settings.host, settings.port).await?
                }
                _ => Box::new(link::dial(settings, &clock).await?),
            };
            Session::open(settings, context, stream, via.clone(), &clock).await
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context without any files.
    pub(super) fn context() -> Arc<SshContext> {
        let environment = SshEnvironment {
            home: "/nowhere/home".into(),
            system: "/nowhere/etc".into(),
            user: "ann".into(),
            agent: None,
        };
        SshContext::new(environment, None)
    }
}
