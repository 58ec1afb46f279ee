//! A gate that batches wait at, so that tests see what the hashing threads take when.
//!
//! Tests run one at a time, on two hashing threads, and begin with both of them idle.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::thread::{JoinHandle, spawn, yield_now};

use quarry_ethash::algorithm::{Algorithm, Kind};
use quarry_ethash::context::Wish;
use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::owners::NOBODY;
use quarry_ethash::queue::{Queue, Task};
use quarry_ethash::status::Status;
use quarry_ethash::tier::Tier;
use quarry_ethash::{pool, queue, registry};

/// Hashing threads of the process.
pub const THREADS: u32 = 2;

/// An algorithm whose batches wait until the test lets them pass.
pub static GATED: Algorithm = Algorithm {
    code: 1000,
    name: "gated",
    file_suffix: "",
    kind: Kind::Direct(pass_gate),
};

/// An algorithm that panics.
pub static PANICKING: Algorithm = Algorithm {
    code: 1001,
    name: "panicking",
    file_suffix: "",
    kind: Kind::Direct(|_, _, _| panic!("the panic that is expected")),
};

#[derive(Default)]
struct Gate {
    /// Batches that have begun, as the nonces of their shares.
    begun: Vec<Vec<u64>>,
    /// First nonces of the batches that may pass.
    passes: HashSet<u64>,
    open: bool,
}

static GATE: LazyLock<(Mutex<Gate>, Condvar)> = LazyLock::new(Default::default);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

fn pass_gate(_: Tier, requests: &[Request], outputs: &mut [Output]) {
    let mut gate = lock(&GATE.0);
    gate.begun
        .push(requests.iter().map(|request| request.nonce).collect());
    GATE.1.notify_all();
    let closed = |gate: &mut Gate| !gate.open && !gate.passes.contains(&requests[0].nonce);
    let passed = GATE.1.wait_while(gate, closed);
    drop(passed.unwrap_or_else(|poison| poison.into_inner()));
    for (request, output) in requests.iter().zip(outputs) {
        output.mix = request.header;
        output.result[..8].copy_from_slice(&request.nonce.to_be_bytes());
    }
}

/// Lets the batch pass that begins with a nonce.
pub fn let_pass(nonce: u64) {
    lock(&GATE.0).passes.insert(nonce);
    GATE.1.notify_all();
}

/// The nonces of the batch that begins next, after so many others.
pub fn begun(others: usize) -> Vec<u64> {
    let few = |gate: &mut Gate| gate.begun.len() <= others;
    let gate = GATE.1.wait_while(lock(&GATE.0), few);
    let gate = gate.unwrap_or_else(|poison| poison.into_inner());
    gate.begun[others].clone()
}

/// A test's turn.
pub struct Turn {
    pub handle: u32,
    _turn: MutexGuard<'static, ()>,
}

impl Turn {
    pub fn begin() -> Turn {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = lock(&TURN);
        drop(open(1));
        // The gate is open still for what the test before this one left.
        while pool::info().idle < THREADS {
            yield_now();
        }
        *lock(&GATE.0) = Gate::default();
        let shape = Shape::of_epoch(&GATED, 0, 0).unwrap();
        Turn {
            handle: registry::open(shape, NOBODY).unwrap(),
            _turn: turn,
        }
    }

    /// Begins with a share on each thread: nonces 1 and 2.
    pub fn begin_busy() -> (Turn, Opened) {
        let (turn, busy) = (Turn::begin(), open(2));
        for nonce in [1, 2] {
            turn.submit(&busy, &[nonce]);
            assert_eq!(begun(nonce as usize - 1), [nonce]);
        }
        (turn, busy)
    }

    pub fn submit(&self, queue: &Arc<Queue>, nonces: &[u64]) {
        queue
            .submit(self.handle, Wish::Light, &tasks(nonces))
            .unwrap();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&GATE.0).open = true;
        GATE.1.notify_all();
        registry::close(self.handle).unwrap();
    }
}

/// A queue that is closed at the end, unless it was closed before.
pub struct Opened {
    pub id: u32,
    queue: Arc<Queue>,
}

/// Opens one.
pub fn open(capacity: usize) -> Opened {
    let id = queue::open(NOBODY, capacity, THREADS as usize).unwrap();
    let queue = queue::find(id).unwrap();
    Opened { id, queue }
}

impl Deref for Opened {
    type Target = Arc<Queue>;
    fn deref(&self) -> &Arc<Queue> {
        &self.queue
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = queue::close(self.id);
    }
}

/// Shares whose tickets are their nonces.
pub fn tasks(nonces: &[u64]) -> Vec<Task> {
    let task = |&nonce: &u64| Task {
        ticket: nonce as u32,
        request: Request {
            header: [7; 32],
            nonce,
        },
        claim: None,
    };
    nonces.iter().map(task).collect()
}

/// Waits for and takes so many answers.
pub fn answers(queue: &Queue, count: usize) -> Vec<(u32, Status)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        assert_eq!(queue.wait(), Ok(Status::Ok));
        for done in queue.take(count - taken.len()) {
            let hashed = done.output != Output::ZERO;
            assert_eq!(hashed, done.status == Status::Ok);
            taken.push((done.ticket, done.status));
        }
    }
    taken.sort_by_key(|answer| answer.0);
    taken
}

pub fn ok(tickets: impl IntoIterator<Item = u32>) -> Vec<(u32, Status)> {
    let tickets = tickets.into_iter();
    tickets.map(|ticket| (ticket, Status::Ok)).collect()
}

/// A thread that waits for a queue, asleep where the system tells.
pub fn waiter(queue: &Arc<Queue>) -> JoinHandle<Result<Status, Status>> {
    let (queue, (say, hear)) = (queue.clone(), channel());
    let waiter = spawn(move || {
        say.send(std::fs::canonicalize("/proc/thread-self").ok())
            .unwrap();
        queue.wait()
    });
    if let Some(thread) = hear.recv().unwrap() {
        let asleep = |stat: String| stat.rsplit_once(") ").unwrap().1.starts_with('S');
        while !waiter.is_finished()
            && !std::fs::read_to_string(thread.join("stat")).is_ok_and(asleep)
        {
            yield_now();
        }
    }
    waiter
}
