//! Step by step: the hosts that are furthest behind run their task together, the others wait for them.

use crate::engine::batch::{Batch, Step};
use crate::engine::cursor::Position;

/// Runs until no host has a task left, the user stops, or a mistake ends the run.
pub(super) async fn run(batch: &mut Batch<'_>) {
    while !batch.shared.stopping() && batch.fatal.is_none() {
        let Some(step) = next(batch) else { return };
        batch.step(step).await;
    }
}

/// The earliest task and all hosts that are at it.
fn next(batch: &mut Batch<'_>) -> Option<Step> {
    let mut best: Option<(Position, Step)> = None;
    for index in 0..batch.hosts.len() {
        let Some((task, params)) = batch.next(index) else { continue };
        let position = batch.position(index);
        match &mut best {
            Some((at, step)) if *at == position && step.task.id == task.id => {
                step.hosts.push((index, params));
            }
            Some((at, step)) if (&*at, step.task.id) <= (&position, task.id) => {}
            _ => best = Some((position, Step { task, hosts: vec![(index, params)] })),
        }
    }
    let (_, step) = best?;
    for (index, _) in &step.hosts {
        batch.take(*index);
    }
    Some(step)
}
