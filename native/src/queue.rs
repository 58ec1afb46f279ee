//! Queues of shares to be hashed: handed over in one call, hashed by the process's own threads,
//! fetched when they are done.
//!
//! A host with an event loop hands shares over without waiting and lets one call wait for answers.
//! No call that blocks has memory of the caller, so that a host may end its thread at any time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};

use crate::context::Wish;
use crate::hashimoto::{Output, Request};
use crate::owners;
use crate::pool;
use crate::registry;
use crate::status::Status;
use crate::system;

/// The most queues open at a time.
pub const QUEUES_MAX: usize = 64;
/// The most shares that one queue may hold, done ones that nobody fetched included.
pub const CAPACITY_MAX: usize = 1 << 16;

/// A share to be hashed.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// The caller's number for it.
    pub ticket: u32,
    /// What is hashed.
    pub request: Request,
    /// What a miner claims to have found.
    pub claim: Option<Claim>,
}

/// A claimed mix digest, and what its result is compared with before anything is hashed.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The mix digest.
    pub mix: [u8; 32],
    /// The largest result that is worth a full hash, big-endian.
    pub target: [u8; 32],
}

/// A task's answer.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// The caller's number.
    pub ticket: u32,
    /// [`Status::Ok`]; [`Status::ClaimFailed`]: the output is the claim's; else there is none.
    pub status: Status,
    /// Mix digest and result.
    pub output: Output,
}

/// A queue, shared by its caller and the threads that hash for it.
pub struct Queue {
    owner: u32,
    capacity: usize,
    /// Locked before the pool, never the other way round.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Shares that were taken in and not fetched yet.
    held: usize,
    done: VecDeque<Done>,
    closed: bool,
}

#[derive(Default)]
struct Queues {
    open: HashMap<u32, Arc<Queue>>,
    last: u32,
}

static QUEUES: LazyLock<Mutex<Queues>> = LazyLock::new(Mutex::default);

/// No code of ours panics with a lock held halfway through a change, so poison is no news.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// Opens a queue for an owner; `threads` hash at least, from now on, for all queues together
/// (0: one per core).
pub fn open(owner: u32, capacity: usize, threads: usize) -> Result<u32, Status> {
    if capacity == 0 || capacity > CAPACITY_MAX {
        return Err(Status::InvalidLength);
    }
    pool::ensure_threads(threads)?;
    let queue = Arc::new(Queue {
        owner,
        capacity,
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let id = {
        let mut queues = lock(&QUEUES);
        if queues.open.len() >= QUEUES_MAX {
            return Err(Status::TooManyHandles);
        }
        let id = queues.last.checked_add(1).ok_or(Status::TooManyHandles)?;
        queues.last = id;
        queues.open.insert(id, queue);
        id
    };
    // Looked at last: an owner that ends from here on finds the queue and closes it.
    if !owners::is_living(owner) {
        let _ = close(id);
        return Err(Status::InvalidHandle);
    }
    system::take_short_turns();
    Ok(id)
}

/// The queue of a number.
pub fn find(id: u32) -> Result<Arc<Queue>, Status> {
    let queue = lock(&QUEUES).open.get(&id).cloned();
    queue.ok_or(Status::InvalidHandle)
}

/// Closes a queue: who waits is answered [`Status::Closed`], its shares are forgotten.
pub fn close(id: u32) -> Result<(), Status> {
    let queue = lock(&QUEUES).open.remove(&id);
    let queue = queue.ok_or(Status::InvalidHandle)?;
    {
        let mut state = lock(&queue.state);
        state.closed = true;
        state.done.clear();
        queue.changed.notify_all();
    }
    // Nothing gets in line after this, see `submit`.
    pool::withdraw(&queue);
    Ok(())
}

/// Closes the queues of an owner.
pub(crate) fn close_all_of(owner: u32) {
    let ids: Vec<u32> = {
        let queues = lock(&QUEUES);
        let owned = queues.open.iter().filter(|(_, queue)| queue.owner == owner);
        owned.map(|(id, _)| *id).collect()
    };
    for id in ids {
        // Closed by somebody else meanwhile: just as well.
        let _ = close(id);
    }
}

impl Queue {
    /// Takes all tasks in or none, [`Status::Busy`] when there is no room for them.
    pub fn submit(self: &Arc<Self>, handle: u32, wish: Wish, tasks: &[Task]) -> Result<(), Status> {
        let context = registry::lease(handle)?.context;
        if wish == Wish::Dataset && !context.has_dataset() {
            return Err(Status::NoDataset);
        }
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Status::Closed);
        }
        if tasks.len() > self.capacity - state.held {
            return Err(Status::Busy);
        }
        state.held += tasks.len();
        // Under the lock still, so that a close finds in line whatever came before it.
        pool::submit(self, context, wish, tasks);
        Ok(())
    }

    /// Waits until something is done; [`Status::NotFound`] at once when nothing is under way.
    pub fn wait(&self) -> Result<Status, Status> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return Err(Status::Closed);
            }
            if !state.done.is_empty() {
                return Ok(Status::Ok);
            }
            if state.held == 0 {
                return Ok(Status::NotFound);
            }
            let changed = self.changed.wait(state);
            state = changed.unwrap_or_else(|poison| poison.into_inner());
        }
    }

    /// Fetches what is done, the oldest first, at most `most` of it.
    pub fn take(&self, most: usize) -> Vec<Done> {
        let mut state = lock(&self.state);
        let count = most.min(state.done.len());
        state.held -= count;
        state.done.drain(..count).collect()
    }

    /// Answers what no thread has begun yet with [`Status::Closed`].
    pub fn drain(self: &Arc<Self>) {
        let answer = |task: Task| Done {
            ticket: task.ticket,
            status: Status::Closed,
            output: Output::ZERO,
        };
        let withdrawn = pool::withdraw(self).into_iter();
        self.complete(&withdrawn.map(answer).collect::<Vec<Done>>());
    }

    /// Takes answers in and wakes who waits for them.
    pub(crate) fn complete(&self, done: &[Done]) {
        let mut state = lock(&self.state);
        if state.closed {
            return;
        }
        state.done.extend(done);
        drop(state);
        self.changed.notify_all();
    }
}
