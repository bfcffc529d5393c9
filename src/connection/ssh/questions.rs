//! Questions to the user: one at a time, each asked once in a run whatever number of hosts wants to know.

use std::sync::Arc;

use super::clock::Clock;
use super::context::SshContext;
use crate::secret::Secret;

/// The answer to `what`. `wrong`: the answer that turned out wrong, so ask again if nobody else has meanwhile.
pub(super) async fn ask(
    context: &Arc<SshContext>,
    clock: &Clock,
    what: &str,
    wrong: Option<&Secret>,
) -> Option<Secret> {
    // Waiting for the answer to somebody else's question is not the host's fault either.
    let _pause = clock.pause();
    let mut answers = context.answers.lock().await;
    match answers.get(what) {
        Some(None) => return None,
        Some(answer) if answer.as_ref() != wrong => return answer.clone(),
        _ => {}
    }
    let text = if wrong.is_some() { format!("{what} (that was wrong)") } else { what.to_owned() };
    let answer = once(context, text).await;
    answers.insert(what.to_owned(), answer.clone());
    answer
}

/// Asks without remembering, for codes that count once.
pub(super) async fn ask_afresh(context: &Arc<SshContext>, clock: &Clock, what: &str) -> Option<Secret> {
    let _pause = clock.pause();
    let _one_at_a_time = context.answers.lock().await;
    once(context, what.to_owned()).await
}

async fn once(context: &Arc<SshContext>, text: String) -> Option<Secret> {
    context.prompt.as_ref()?;
    let context = context.clone();
    let asked = tokio::task::spawn_blocking(move || context.prompt.as_ref().and_then(|p| p.secret(&text)));
    asked.await.ok().flatten()
}
