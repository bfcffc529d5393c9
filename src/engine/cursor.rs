//! Where a host is in a play: a state machine over blocks, rescues, always parts and includes.
//!
//! A cursor belongs to one host. `settle` moves to the next task, `take` consumes it, `fail` reacts to a failure.
//! Positions of different hosts compare, so that a strategy can keep hosts in step.

use std::collections::HashSet;
use std::sync::Arc;

use crate::playbook::{Block, Item, Role, Task};
use crate::value::Str;
use crate::vars::Bindings;

/// Which part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Body,
    Rescue,
    Always,
}

/// A list of items that is being worked through.
#[derive(Clone, Debug)]
enum List {
    /// A play's tasks, or what was included.
    Plain(Arc<Vec<Item>>),
    /// A part of a block.
    Of(Arc<Block>, Part),
}

impl List {
    fn items(&self) -> &[Item] {
        match self {
            List::Plain(items) => items,
            List::Of(block, Part::Body) => &block.body,
            List::Of(block, Part::Rescue) => &block.rescue,
            List::Of(block, Part::Always) => &block.always,
        }
    }
}

#[derive(Clone, Debug)]
struct Frame {
    list: List,
    next: usize,
    /// Orders frames that start at the same place: parts of a block, or includes one after another.
    rank: u32,
    params: Arc<Bindings>,
    /// A failure that goes on once this (always) part is done.
    failing: bool,
    /// The list is the play's handlers: only notified ones run.
    handlers: bool,
    /// Nothing follows this list: the host has failed already (`force_handlers`).
    last: bool,
    /// A task in here ran and was not skipped.
    ran: bool,
}

/// A place in a play; smaller is earlier.
pub(super) type Position = Vec<(u32, u32)>;

/// What a failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallout {
    /// A rescue takes over, here or in a block around.
    Rescued,
    /// The host has failed; always parts may still run.
    Failed,
}

/// What decides whether a task is run at all: tags, and which roles are done.
pub(super) trait Select {
    /// Whether a task is selected by tags.
    fn selects(&self, task: &Task) -> bool;
    /// Whether the handler at this place of the play's list was notified on the host.
    fn notified(&self, handler: usize) -> bool;
}

/// The place of one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    frames: Vec<Frame>,
    /// Uses of roles that are done (by uuid): they run once.
    roles_done: HashSet<Str>,
    /// The failure went past the last block.
    pub(super) failed: bool,
}

impl Cursor {
    /// At the start of a list.
    pub(super) fn new(items: Arc<Vec<Item>>) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.push(items, 0, Arc::default());
        cursor
    }

    /// Puts included items in front. `rank` orders several includes at the same place.
    pub(super) fn push(&mut self, items: Arc<Vec<Item>>, rank: u32, params: Arc<Bindings>) {
        self.frames.push(Frame {
            list: List::Plain(items),
            next: 0,
            rank,
            params,
            failing: false,
            handlers: false,
            last: false,
            ran: false,
        });
    }

    /// Puts the play's handlers in front; only those that are notified when their turn comes will run.
    pub(super) fn push_handlers(&mut self, items: Arc<Vec<Item>>) {
        let list = List::Plain(items);
        self.frames.push(Frame {
            list,
            next: 0,
            rank: 0,
            params: Arc::default(),
            failing: false,
            handlers: true,
            last: false,
            ran: false,
        });
    }

    /// The same for a host that has failed: it runs them in step with the hosts at the place of `peer`, then ends.
    pub(super) fn push_last_handlers(&mut self, items: Arc<Vec<Item>>, peer: &Cursor) {
        self.frames.clone_from(&peer.frames);
        self.failed = false;
        self.push_handlers(items);
        if let Some(frame) = self.frames.last_mut() {
            frame.last = true;
        }
    }

    /// Moves to the next task that is selected and gives it with its place and the variables of the includes around
    /// it; none at the end.
    pub(super) fn settle(&mut self, select: &dyn Select) -> Option<(Arc<Task>, Arc<Bindings>)> {
        loop {
            let frame = self.frames.last_mut()?;
            let Some(item) = frame.list.items().get(frame.next) else {
                self.end_of_list();
                continue;
            };
            match item {
                Item::Task(_) if frame.handlers && !select.notified(frame.next) => frame.next += 1,
                Item::Task(task) if frame.handlers || select.selects(task) => {
                    return Some((task.clone(), frame.params.clone()));
                }
                Item::Task(_) => frame.next += 1,
                Item::Block(block) => {
                    let (block, params) = (block.clone(), frame.params.clone());
                    frame.next += 1;
                    self.enter(block, params);
                }
            }
        }
    }

    fn enter(&mut self, block: Arc<Block>, params: Arc<Bindings>) {
        let done = |role: &Arc<Role>| !role.allow_duplicates && self.roles_done.contains(&role.uuid);
        if !block.role.as_ref().is_some_and(done) {
            self.frames.push(Frame {
                list: List::Of(block, Part::Body),
                next: 0,
                rank: 0,
                params,
                failing: false,
                handlers: false,
                last: false,
                ran: false,
            });
        }
    }

    /// Consumes the task that `settle` gave. For one of the play's handlers: its place in their list.
    pub(super) fn take(&mut self) -> Option<usize> {
        let frame = self.frames.last_mut()?;
        frame.next += 1;
        frame.handlers.then(|| frame.next - 1)
    }

    /// Notes that the task that was taken ran and was not skipped.
    pub(super) fn ran(&mut self) {
        self.frames.iter_mut().for_each(|frame| frame.ran = true);
    }

    /// Where the next task stands.
    pub(super) fn position(&self) -> Position {
        // All frames but the last have moved past the item that the next frame is the inside of.
        let last = self.frames.len().saturating_sub(1);
        let index = |i: usize, next: usize| if i < last { next.saturating_sub(1) } else { next };
        let at = |(i, frame): (usize, &Frame)| {
            (frame.rank, u32::try_from(index(i, frame.next)).unwrap_or(u32::MAX))
        };
        self.frames.iter().enumerate().map(at).collect()
    }

    fn end_of_list(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.last {
            self.end();
            self.failed = true;
            return;
        }
        let List::Of(block, part) = &frame.list else { return };
        match part {
            Part::Body | Part::Rescue if !block.always.is_empty() => {
                self.enter_part(&frame, block, Part::Always, false);
            }
            Part::Always if frame.failing => {
                self.unwind();
                return;
            }
            Part::Body | Part::Rescue | Part::Always => {}
        }
        // A role none of whose tasks ran, by tags or conditions, may still run when it is used again.
        if let (Part::Body, Some(role), true) = (part, &block.role, frame.ran) {
            self.roles_done.insert(role.uuid.clone());
        }
    }

    fn enter_part(&mut self, from: &Frame, block: &Arc<Block>, part: Part, failing: bool) {
        let rank = if part == Part::Rescue { 1 } else { 2 };
        let list = List::Of(block.clone(), part);
        let params = from.params.clone();
        self.frames.push(Frame {
            list,
            next: 0,
            rank,
            params,
            failing,
            handlers: false,
            last: false,
            ran: false,
        });
    }

    /// A task failed: goes to the nearest rescue or always part.
    pub(super) fn fail(&mut self) -> Fallout {
        let rescuing = self
            .frames
            .iter()
            .rev()
            .take_while(|frame| !frame.last)
            .any(|frame| matches!(&frame.list, List::Of(block, Part::Body) if !block.rescue.is_empty()));
        self.unwind();
        if rescuing { Fallout::Rescued } else { Fallout::Failed }
    }

    fn unwind(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if frame.last {
                break;
            }
            let List::Of(block, part) = &frame.list else { continue };
            match part {
                Part::Body if !block.rescue.is_empty() => {
                    return self.enter_part(&frame, block, Part::Rescue, false);
                }
                Part::Body | Part::Rescue if !block.always.is_empty() => {
                    return self.enter_part(&frame, block, Part::Always, true);
                }
                Part::Body | Part::Rescue | Part::Always => {}
            }
        }
        self.end();
        self.failed = true;
    }

    /// Ends the play for this host.
    pub(super) fn end(&mut self) {
        self.frames.clear();
    }

    /// Leaves the innermost role (`meta: end_role`).
    pub(super) fn end_role(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if let List::Of(block, _) = &frame.list
                && block.role.is_some()
            {
                return;
            }
        }
    }

    /// Whether the host is in an always part that runs because of a failure.
    pub(super) fn doomed(&self) -> bool {
        self.frames.iter().any(|frame| frame.failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{FileId, Span};
    use crate::playbook::{Action, Common};

    struct All;
    impl Select for All {
        fn selects(&self, _task: &Task) -> bool {
            true
        }
        fn notified(&self, _handler: usize) -> bool {
            true
        }
    }

    const SPAN: Span = Span { file: FileId(0), start: 0, end: 0 };

    fn task(id: u32) -> Item {
        Item::Task(Arc::new(Task::blank(id, SPAN, Arc::default(), Action::Meta("noop".into()), "meta")))
    }

    fn block(body: Vec<Item>, rescue: Vec<Item>, always: Vec<Item>) -> Item {
        let common = Arc::new(Common::default());
        Item::Block(Arc::new(Block { span: SPAN, common, body, rescue, always, role: None }))
    }

    /// Runs to the end; tasks of `failing` fail. Gives the ids in the order they ran and whether the host failed.
    fn walk(items: Vec<Item>, failing: &[u32]) -> (Vec<u32>, bool) {
        let mut cursor = Cursor::new(Arc::new(items));
        let mut ran = Vec::new();
        while let Some((task, _)) = cursor.settle(&All) {
            cursor.take();
            ran.push(task.id);
            if failing.contains(&task.id) {
                cursor.fail();
            }
        }
        (ran, cursor.failed)
    }

    fn nested() -> Vec<Item> {
        vec![
            task(1),
            block(
                vec![block(vec![task(2), task(3)], vec![], vec![task(4)]), task(5)],
                vec![task(6)],
                vec![task(7)],
            ),
            task(8),
        ]
    }

    #[test]
    fn a_block_goes_through_body_and_always() {
        assert_eq!(walk(nested(), &[]), (vec![1, 2, 3, 4, 5, 7, 8], false));
    }

    #[test]
    fn a_failure_runs_inner_always_then_outer_rescue() {
        assert_eq!(walk(nested(), &[2]), (vec![1, 2, 4, 6, 7, 8], false));
    }

    #[test]
    fn a_failing_rescue_fails_the_host_after_always() {
        assert_eq!(walk(nested(), &[2, 6]), (vec![1, 2, 4, 6, 7], true));
    }

    #[test]
    fn a_failure_outside_blocks_ends_the_host() {
        assert_eq!(walk(nested(), &[1]), (vec![1], true));
    }

    #[test]
    fn includes_come_before_what_follows_and_positions_order_them() {
        let mut cursor = Cursor::new(Arc::new(vec![task(1), task(2)]));
        cursor.settle(&All);
        cursor.take();
        let mut other = cursor.clone();
        cursor.push(Arc::new(vec![task(10)]), 0, Arc::default());
        assert_eq!(cursor.settle(&All).unwrap().0.id, 10);
        assert_eq!(other.settle(&All).unwrap().0.id, 2);
        assert!(cursor.position() < other.position());
    }
}
