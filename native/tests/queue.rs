//! Queues against plain batches: mixed contexts, algorithms and claims from many threads at once.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;
#[path = "common/random.rs"]
#[allow(dead_code, unreachable_pub)]
mod random;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use common::{prepare_in_memory, requests};
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::owners::NOBODY;
use quarry_ethash::queue::{self, Claim, Done, Queue, Task};
use quarry_ethash::status::Status;
use quarry_ethash::tier::Tier;
use quarry_ethash::{ethash, frkhash, registry, ubqhash};
use random::Random;

const SHARES: usize = 150;

/// Shares of one context, and what has to become of them.
struct Source {
    handle: u32,
    wish: Wish,
    shares: Vec<Share>,
}

#[derive(Clone, Copy)]
struct Share {
    request: Request,
    claim: Option<Claim>,
    expected: (Status, Output),
}

/// Every algorithm, two epochs of one, light caches and a dataset.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let source = |shape: Shape, wish| {
        let handle = registry::open(shape, NOBODY).unwrap();
        let context = registry::lease(handle).unwrap().context;
        if wish == Wish::Dataset {
            prepare_in_memory(&context);
        }
        Source {
            handle,
            wish,
            shares: shares(&context),
        }
    };
    let items = |algorithm, rounds| Shape::of_items(algorithm, 1021, 4093, rounds).unwrap();
    let direct = Shape::of_epoch(&frkhash::ALGORITHM, 0, 0).unwrap();
    vec![
        source(items(&ethash::ALGORITHM, 1), Wish::Light),
        source(items(&ethash::ALGORITHM, 1), Wish::Dataset),
        source(items(&ethash::ALGORITHM, 2), Wish::Best),
        source(items(&ubqhash::ALGORITHM, 1), Wish::Light),
        source(direct, Wish::Light),
    ]
});

/// Shares without a claim and with claims around their own results and around those of wrong mix
/// digests, and what plain batches say of them.
fn shares(context: &Context) -> Vec<Share> {
    let requests = requests(SHARES);
    let truth = common::hash(context, Wish::Light, &requests);
    let mut wrong = truth.clone();
    wrong.iter_mut().for_each(|output| output.mix[9] ^= 4);
    let algorithm = context.shape.algorithm;
    algorithm.final_hashes(Tier::best(), &requests, &mut wrong);
    let share = |i: usize| {
        let claim = |of: &Output, target| {
            Some(Claim {
                mix: of.mix,
                target,
            })
        };
        let (truth, wrong) = (truth[i], wrong[i]);
        let hashed = (Status::Ok, truth);
        let (claim, expected) = match i % 7 {
            0 => (None, hashed),
            1 => (claim(&truth, truth.result), hashed),
            2 => (claim(&truth, neighbour(truth.result, true)), hashed),
            3 => {
                let below = neighbour(truth.result, false);
                (claim(&truth, below), (Status::ClaimFailed, truth))
            }
            // A filter, not a proof: a wrong digest with a good result is hashed.
            4 => (claim(&wrong, wrong.result), hashed),
            5 => (claim(&wrong, [0; 32]), (Status::ClaimFailed, wrong)),
            _ => (claim(&wrong, [0xff; 32]), hashed),
        };
        Share {
            request: requests[i],
            claim,
            expected,
        }
    };
    (0..SHARES).map(share).collect()
}

/// The next larger or smaller number, big-endian.
fn neighbour(mut number: [u8; 32], larger: bool) -> [u8; 32] {
    for byte in number.iter_mut().rev() {
        let (next, carried) = match larger {
            true => byte.overflowing_add(1),
            false => byte.overflowing_sub(1),
        };
        *byte = next;
        if !carried {
            return number;
        }
    }
    panic!("no result is the largest or the smallest number");
}

/// A queue with what it owes.
struct Ledger {
    id: u32,
    queue: Arc<Queue>,
    last_ticket: AtomicU32,
    owed: Mutex<HashMap<u32, (Status, Output)>>,
}

impl Ledger {
    fn open(capacity: usize) -> Ledger {
        let id = queue::open(NOBODY, capacity, 3).unwrap();
        Ledger {
            id,
            queue: queue::find(id).unwrap(),
            last_ticket: AtomicU32::new(0),
            owed: Mutex::default(),
        }
    }

    /// Hands random shares of one context over; says whether there was room.
    fn submit(&self, random: &mut Random, most: u64) -> bool {
        let source = &SOURCES[random.below(SOURCES.len() as u64) as usize];
        let count = 1 + random.below(most) as u32;
        let first = self.last_ticket.fetch_add(count, Ordering::Relaxed);
        let mut owed = self.owed.lock().unwrap();
        let tickets = first..first + count;
        let tasks: Vec<Task> = tickets
            .clone()
            .map(|ticket| {
                let share = random.pick(&source.shares);
                owed.insert(ticket, share.expected);
                Task {
                    ticket,
                    request: share.request,
                    claim: share.claim,
                }
            })
            .collect();
        // Not under the lock of the test: other threads take answers meanwhile.
        drop(owed);
        let submitted = self.queue.submit(source.handle, source.wish, &tasks);
        if submitted == Err(Status::Busy) {
            let mut owed = self.owed.lock().unwrap();
            owed.retain(|ticket, _| !tickets.contains(ticket));
            return false;
        }
        submitted.unwrap();
        true
    }

    /// Takes what is done; returns how much and how much of it was drained.
    fn take(&self, most: usize) -> (usize, usize) {
        let taken = self.queue.take(most);
        let mut owed = self.owed.lock().unwrap();
        let mut drained = 0;
        for Done {
            ticket,
            status,
            output,
        } in &taken
        {
            let expected = owed.remove(ticket).expect("an answer that is owed, once");
            if *status == Status::Closed {
                assert_eq!(*output, Output::ZERO);
                drained += 1;
            } else {
                assert_eq!((*status, *output), expected, "ticket {ticket}");
            }
        }
        (taken.len(), drained)
    }

    /// Takes until nothing is under way.
    fn settle(&self) -> usize {
        let mut drained = 0;
        while self.queue.wait() == Ok(Status::Ok) {
            drained += self.take(50).1;
        }
        drained
    }
}

#[test]
fn every_share_gets_the_answer_of_a_plain_batch_whatever_else_runs() {
    let ledgers = [40, 100, 700].map(Ledger::open);
    let (busy, at_work) = (AtomicU32::new(0), AtomicU32::new(6));
    std::thread::scope(|scope| {
        // Two threads hand over to and take from each queue.
        for (i, ledger) in ledgers.iter().chain(&ledgers).enumerate() {
            let (busy, at_work) = (&busy, &at_work);
            scope.spawn(move || {
                let mut random = Random(i as u64);
                for _ in 0..60 {
                    while !ledger.submit(&mut random, 40) {
                        busy.fetch_add(1, Ordering::Relaxed);
                        ledger.queue.wait().unwrap();
                        assert_eq!(ledger.take(1 + random.below(60) as usize).1, 0);
                    }
                }
                assert_eq!(ledger.settle(), 0, "nobody drained this queue");
                at_work.fetch_sub(1, Ordering::Relaxed);
            });
        }
        // Others open, drain and close queues meanwhile, with shares under way.
        scope.spawn(|| {
            let mut random = Random(77);
            while at_work.load(Ordering::Relaxed) > 0 {
                let ledger = Ledger::open(90);
                assert!(ledger.submit(&mut random, 90));
                match random.below(3) {
                    0 => {
                        ledger.queue.drain();
                        ledger.settle();
                        assert!(ledger.owed.lock().unwrap().is_empty());
                    }
                    1 => ledger.queue.drain(),
                    _ => {}
                }
                queue::close(ledger.id).unwrap();
                assert_eq!(ledger.queue.wait(), Err(Status::Closed));
            }
        });
    });
    for ledger in ledgers {
        assert_eq!(ledger.queue.wait(), Ok(Status::NotFound));
        assert!(ledger.owed.into_inner().unwrap().is_empty());
        queue::close(ledger.id).unwrap();
    }
    assert!(busy.into_inner() > 0, "the small queue was never full");
}

#[test]
fn a_thread_that_waits_is_woken_by_every_answer_until_the_queue_closes() {
    let ledger = Ledger::open(64);
    let closing = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut answered = 0;
            loop {
                match ledger.queue.wait() {
                    Ok(Status::Ok) => answered += ledger.take(1).0,
                    Ok(_) => std::thread::yield_now(),
                    Err(status) => break (status, answered, closing.load(Ordering::Relaxed)),
                }
            }
        });
        let mut random = Random(5);
        // One share at a time: a wake-up that gets lost is one for which nothing makes up.
        for _ in 0..3000 {
            while !ledger.submit(&mut random, 1) {
                std::thread::yield_now();
            }
            while !ledger.owed.lock().unwrap().is_empty() {
                std::thread::yield_now();
            }
        }
        closing.store(true, Ordering::Relaxed);
        queue::close(ledger.id).unwrap();
        assert_eq!(waiter.join().unwrap(), (Status::Closed, 3000, true));
    });
}
