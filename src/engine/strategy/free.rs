//! Every host on its own: it begins its next task as soon as it is done with the last.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::batch::{Batch, Flight};
use crate::event::TaskStart;
use crate::playbook::{Action, Task};

/// Runs until no host has a task left, the user stops, or a mistake ends the run. `run_once` means nothing here.
pub(super) async fn run(batch: &mut Batch<'_>) {
    let mut flight = Flight::new();
    let mut under_way: HashMap<usize, (Arc<Task>, Arc<TaskStart>)> = HashMap::new();
    for index in 0..batch.hosts.len() {
        begin(batch, &mut flight, &mut under_way, index).await;
    }
    while let Some((index, result)) = batch.landed(&mut flight).await {
        if let Some((task, start)) = under_way.remove(&index) {
            batch.apply(index, &task, &start, &result);
            batch.include(&task, &start, vec![(index, result)]);
        }
        begin(batch, &mut flight, &mut under_way, index).await;
    }
}

/// Sends a host off to its next task.
async fn begin(
    batch: &mut Batch<'_>,
    flight: &mut Flight,
    under_way: &mut HashMap<usize, (Arc<Task>, Arc<TaskStart>)>,
    index: usize,
) {
    while !batch.shared.stopping() && batch.fatal.is_none() {
        let Some((task, params)) = batch.next(index) else { return };
        batch.take(index);
        if let Action::Meta(word) = &task.action {
            batch.meta(word, &task, &[(index, params)]).await;
            continue;
        }
        // A task is announced when the first host begins it and again when another task came in between.
        let announced =
            under_way.values().find(|(running, _)| running.id == task.id).map(|(_, start)| start.clone());
        let start = match announced {
            Some(start) => start,
            None => batch.announce(&task, index, &params),
        };
        let work = batch.host_task(index, &task, &params, &start);
        batch.launch(flight, index, work, None);
        under_way.insert(index, (task, start));
        return;
    }
}
