//! The process's own threads that hash: whatever waits when a thread is free, up to a full pass.
//!
//! There is no timer and no fixed batch: a lone share is hashed at once, and what comes while all
//! threads are busy is hashed together. A batch of 64 takes little longer than one share, so what
//! waits shrinks the faster the more of it there is. Shares of several queues go into one batch.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, LazyLock, Mutex};

use crate::context::{Context, Wish};
use crate::hashimoto::{Output, PASS_MAX, Request};
use crate::queue::{Done, Queue, Task, lock};
use crate::status::Status;
use crate::system;

/// The most threads that anybody gets.
pub const THREADS_MAX: usize = 256;

struct Waiting {
    /// Its place among all that waits.
    number: u64,
    queue: Arc<Queue>,
    task: Task,
}

/// What waits for the same context and pages.
struct Line {
    context: Arc<Context>,
    wish: Wish,
    tasks: VecDeque<Waiting>,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    waiting: usize,
    threads: usize,
    idle: usize,
    last_number: u64,
    batches: u64,
    hashed: u64,
}

/// Numbers of the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PoolInfo {
    /// Threads that hash.
    pub threads: u32,
    /// Threads that have nothing to do.
    pub idle: u32,
    /// Shares that no thread has begun.
    pub waiting: u64,
    /// Batches hashed since the process began.
    pub batches: u64,
    /// Shares in them.
    pub hashed: u64,
}

const _: () = assert!(size_of::<PoolInfo>() == 32);

static POOL: LazyLock<(Mutex<State>, Condvar)> = LazyLock::new(Default::default);

/// Starts threads until there are so many (0: one per core). They stay as long as the process.
pub(crate) fn ensure_threads(wanted: usize) -> Result<(), Status> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = match wanted {
        0 => cores.min(THREADS_MAX),
        some => some,
    };
    if wanted > THREADS_MAX {
        return Err(Status::InvalidLength);
    }
    let mut state = lock(&POOL.0);
    while state.threads < wanted {
        let name = format!("hash-{}", state.threads);
        let started = std::thread::Builder::new().name(name).spawn(run);
        if started.is_err() && state.threads == 0 {
            return Err(Status::OutOfMemory);
        }
        // Fewer threads than wished are slower, and nothing else.
        let Ok(_) = started else { break };
        state.threads += 1;
    }
    Ok(())
}

/// Numbers for metrics.
pub fn info() -> PoolInfo {
    let state = lock(&POOL.0);
    PoolInfo {
        threads: state.threads as u32,
        idle: state.idle as u32,
        waiting: state.waiting as u64,
        batches: state.batches,
        hashed: state.hashed,
    }
}

/// Puts tasks of a queue in line.
pub(crate) fn submit(queue: &Arc<Queue>, context: Arc<Context>, wish: Wish, tasks: &[Task]) {
    let mut state = lock(&POOL.0);
    let first_number = state.last_number + 1;
    state.last_number += tasks.len() as u64;
    state.waiting += tasks.len();
    let waiting = (first_number..).zip(tasks).map(|(number, task)| Waiting {
        number,
        queue: queue.clone(),
        task: *task,
    });
    let same = |line: &&mut Line| Arc::ptr_eq(&line.context, &context) && line.wish == wish;
    match state.lines.iter_mut().find(same) {
        Some(line) => line.tasks.extend(waiting),
        None => {
            let tasks = waiting.collect();
            state.lines.push(Line {
                context,
                wish,
                tasks,
            });
        }
    }
    let wanted = state.idle.min(tasks.len());
    drop(state);
    // A busy thread looks for itself when it is done; one that is woken for nothing sleeps again.
    (0..wanted).for_each(|_| POOL.1.notify_one());
}

/// Takes the tasks of a queue out that no thread has begun.
pub(crate) fn withdraw(queue: &Arc<Queue>) -> Vec<Task> {
    let mut withdrawn = Vec::new();
    let mut state = lock(&POOL.0);
    for line in &mut state.lines {
        line.tasks.retain(|waiting| {
            let theirs = Arc::ptr_eq(&waiting.queue, queue);
            if theirs {
                withdrawn.push(waiting.task);
            }
            !theirs
        });
    }
    state.waiting -= withdrawn.len();
    let empty = |line: &mut Line| line.tasks.is_empty();
    let emptied: Vec<Line> = state.lines.extract_if(.., empty).collect();
    drop(state);
    // With them go, perhaps, the last references to gigabytes: after the lock.
    drop(emptied);
    withdrawn
}

/// One thread: batch after batch, for ever.
fn run() {
    system::yield_to_others();
    loop {
        let line = next_batch();
        let done = catch_unwind(AssertUnwindSafe(|| hash(&line)));
        // A panic is a bug, and no reason to let anybody wait for ever.
        let done = done.unwrap_or_else(|_| answers(&line.tasks, Status::Panic));
        count(&done);
        let mut left = done.as_slice();
        for run in Vec::from(line.tasks).chunk_by(|a, b| Arc::ptr_eq(&a.queue, &b.queue)) {
            let (theirs, others) = left.split_at(run.len());
            run[0].queue.complete(theirs);
            left = others;
        }
    }
}

/// Counts a batch, before anybody sees its answers.
fn count(done: &[Done]) {
    let hashed = done.iter().filter(|done| done.status == Status::Ok).count();
    let mut state = lock(&POOL.0);
    state.batches += u64::from(hashed > 0);
    state.hashed += hashed as u64;
}

/// Waits for the oldest task and takes those along that go with it. Idle threads get their part:
/// two finish two halves sooner.
fn next_batch() -> Line {
    let mut state = lock(&POOL.0);
    while state.waiting == 0 {
        state.idle += 1;
        let woken = POOL.1.wait(state);
        state = woken.unwrap_or_else(|poison| poison.into_inner());
        state.idle -= 1;
    }
    let oldest = |line: &Line| {
        line.tasks
            .front()
            .map_or(u64::MAX, |waiting| waiting.number)
    };
    let lines = 0..state.lines.len();
    let place = lines.min_by_key(|&place| oldest(&state.lines[place]));
    let place = place.expect("what waits stands in a line");
    let share = state.waiting.div_ceil(state.idle + 1).min(PASS_MAX);
    let line = &mut state.lines[place];
    let count = share.min(line.tasks.len());
    let batch = Line {
        context: line.context.clone(),
        wish: line.wish,
        tasks: line.tasks.drain(..count).collect(),
    };
    if line.tasks.is_empty() {
        // With it goes, perhaps, the last reference to the context but ours.
        state.lines.swap_remove(place);
    }
    state.waiting -= count;
    batch
}

/// Compares what is claimed, eight at a time, and hashes what is left of the batch.
fn hash(line: &Line) -> Vec<Done> {
    let mut done = answers(&line.tasks, Status::Ok);
    refuse_claims(line, &mut done);
    let left: Vec<usize> = (0..done.len())
        .filter(|&i| done[i].status == Status::Ok)
        .collect();
    if left.is_empty() {
        return done;
    }
    let requests: Vec<Request> = left.iter().map(|&i| line.tasks[i].task.request).collect();
    let mut outputs = vec![Output::ZERO; left.len()];
    let hashed = line.context.hash(line.wish, &requests, &mut outputs);
    for (&i, output) in left.iter().zip(outputs) {
        done[i].output = output;
        done[i].status = hashed.err().unwrap_or(Status::Ok);
    }
    done
}

/// Answers the claims whose results are above their targets.
fn refuse_claims(line: &Line, done: &mut [Done]) {
    let tasks = line.tasks.iter().enumerate();
    let claims: Vec<_> = tasks
        .filter_map(|(i, Waiting { task, .. })| Some((i, task.request, task.claim?)))
        .collect();
    if claims.is_empty() {
        return;
    }
    let requests: Vec<Request> = claims.iter().map(|claim| claim.1).collect();
    let mixes = claims.iter().map(|claim| claim.2.mix);
    let mut outputs: Vec<Output> = mixes
        .map(|mix| Output {
            mix,
            ..Output::ZERO
        })
        .collect();
    line.context.final_hashes(&requests, &mut outputs);
    for ((i, _, claim), output) in claims.into_iter().zip(outputs) {
        if output.result > claim.target {
            (done[i].status, done[i].output) = (Status::ClaimFailed, output);
        }
    }
}

/// The same answer, without an output, to all tasks.
fn answers(tasks: &VecDeque<Waiting>, status: Status) -> Vec<Done> {
    let answer = |waiting: &Waiting| Done {
        ticket: waiting.task.ticket,
        status,
        output: Output::ZERO,
    };
    tasks.iter().map(answer).collect()
}
