//! Every host on its own: it begins its next task as soon as it is done with the last.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::engine::batch::{Batch, Flight};
use crate::engine::keywords::Keywords;
use crate::event::TaskStart;
use crate::playbook::{Action, Task};
use crate::vars::Bindings;

/// Runs until no host has a task left, the user stops, or a mistake ends the run. `run_once` means nothing here.
/// `width`: how many hosts are under way at the same time; the next one begins when one is done with all its tasks.
pub(super) async fn run(batch: &mut Batch<'_>, width: usize) {
    let mut flight = Flight::new();
    let mut under_way = UnderWay::default();
    let mut waiting = 0..batch.hosts.len();
    loop {
        while under_way.tasks.len() < width
            && let Some(index) = waiting.next()
        {
            begin(batch, &mut flight, &mut under_way, index).await;
        }
        let Some((index, result)) = batch.landed(&mut flight).await else { return };
        if let Some((task, start)) = under_way.tasks.remove(&index) {
            batch.apply(index, &task, &start, &result);
            batch.include(&task, &start, vec![(index, result)]);
        }
        begin(batch, &mut flight, &mut under_way, index).await;
    }
}

/// What the hosts do now.
#[derive(Default)]
struct UnderWay {
    tasks: HashMap<usize, (Arc<Task>, Arc<TaskStart>)>,
    /// How many hosts may do a task at the same time, by task.
    throttles: HashMap<u32, Option<Arc<Semaphore>>>,
}

impl UnderWay {
    fn throttle(
        &mut self,
        batch: &mut Batch<'_>,
        index: usize,
        task: &Arc<Task>,
        params: &Arc<Bindings>,
    ) -> Option<Arc<Semaphore>> {
        let limit = || {
            let scope = batch.scope(index, task, params);
            let number = Keywords::new(batch.shared, &scope).number(task.common.throttle.as_ref());
            let number = number.ok().flatten().filter(|number| *number > 0)?;
            Some(Arc::new(Semaphore::new(usize::try_from(number).unwrap_or(usize::MAX >> 4))))
        };
        self.throttles.entry(task.id).or_insert_with(limit).clone()
    }
}

/// Sends a host off to its next task.
async fn begin(batch: &mut Batch<'_>, flight: &mut Flight, under_way: &mut UnderWay, index: usize) {
    while !batch.shared.stopping() && batch.fatal.is_none() {
        let Some((task, params)) = batch.next(index) else { return };
        batch.take(index);
        if let Action::Meta(word) = &task.action {
            batch.meta(word, &task, &[(index, params)]).await;
            continue;
        }
        // A task is announced when the first host begins it and again when another task came in between.
        let announced = under_way
            .tasks
            .values()
            .find(|(running, _)| running.id == task.id)
            .map(|(_, start)| start.clone());
        let start = match announced {
            Some(start) => start,
            None => batch.announce(&task, index, &params),
        };
        let work = batch.host_task(index, &task, &params, &start);
        let throttle = under_way.throttle(batch, index, &task, &params);
        batch.launch(flight, index, work, throttle.as_ref());
        under_way.tasks.insert(index, (task, start));
        return;
    }
}
