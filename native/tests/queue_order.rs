//! What the hashing threads take when, and what becomes of it.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;
#[path = "common/gate.rs"]
#[allow(unreachable_pub)]
mod gate;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{spawn, yield_now};

use common::{prepare_in_memory, tiny_shape};
use gate::{GATED, PANICKING, THREADS, Turn, answers, begun, let_pass, ok, open, tasks, waiter};
use quarry_ethash::context::Wish;
use quarry_ethash::epoch::Shape;
use quarry_ethash::owners::{self, NOBODY};
use quarry_ethash::queue::QUEUES_MAX;
use quarry_ethash::status::Status;
use quarry_ethash::{pool, queue, registry};

#[test]
fn a_lone_share_waits_for_nobody() {
    let (turn, queue) = (Turn::begin(), open(2));
    turn.submit(&queue, &[1]);
    assert_eq!(begun(0), [1]);
    turn.submit(&queue, &[2]);
    assert_eq!(begun(1), [2]);
    let_pass(2);
    assert_eq!(answers(&queue, 1), ok([2]));
    let_pass(1);
    assert_eq!(answers(&queue, 1), ok([1]));
}

#[test]
fn shares_of_several_queues_go_into_one_batch() {
    let (turn, _) = Turn::begin_busy();
    let (one, other) = (open(9), open(9));
    turn.submit(&one, &[10, 11]);
    turn.submit(&other, &[20]);
    turn.submit(&one, &[12]);
    assert_eq!(pool::info().waiting, 4);
    let_pass(1);
    assert_eq!(begun(2), [10, 11, 20, 12]);
    assert_eq!(pool::info().waiting, 0);
    let_pass(10);
    assert_eq!(answers(&one, 3), ok([10, 11, 12]));
    assert_eq!(answers(&other, 1), ok([20]));
    for queue in [one, other] {
        assert_eq!(queue.wait(), Ok(Status::NotFound));
    }
}

#[test]
fn a_batch_is_a_full_pass_at_most() {
    let (turn, _) = Turn::begin_busy();
    let queue = open(100);
    let nonces: Vec<u64> = (100..200).collect();
    turn.submit(&queue, &nonces);
    let_pass(1);
    assert_eq!(begun(2), nonces[..64]);
    let_pass(2);
    assert_eq!(begun(3), nonces[64..]);
    let_pass(164);
    assert_eq!(answers(&queue, 36), ok(164..200));
    let_pass(100);
    assert_eq!(answers(&queue, 64), ok(100..164));
}

#[test]
fn idle_threads_get_their_part() {
    let (turn, queue) = (Turn::begin(), open(10));
    turn.submit(&queue, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let mut halves = [begun(0), begun(1)];
    halves.sort();
    assert_eq!(halves, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]);
}

#[test]
fn the_oldest_share_goes_first_and_takes_along_what_goes_with_it() {
    let (turn, _) = Turn::begin_busy();
    let queue = open(9);
    turn.submit(&queue, &[10]);
    // Other pages: another line.
    let others = tasks(&[20]);
    queue.submit(turn.handle, Wish::Best, &others).unwrap();
    turn.submit(&queue, &[11]);
    let_pass(1);
    assert_eq!(begun(2), [10, 11]);
    let_pass(2);
    assert_eq!(begun(3), [20]);
}

#[test]
fn room_is_held_until_answers_are_taken() {
    let (turn, busy) = Turn::begin_busy();
    let submit = |nonces: &[u64]| busy.submit(turn.handle, Wish::Light, &tasks(nonces));
    assert_eq!(submit(&[3]), Err(Status::Busy), "shares that run count");
    let_pass(1);
    assert_eq!(busy.wait(), Ok(Status::Ok));
    assert_eq!(submit(&[3]), Err(Status::Busy), "and those that are done");
    assert_eq!(answers(&busy, 1), ok([1]));
    assert_eq!(submit(&[3, 4]), Err(Status::Busy), "all or none");
    assert_eq!(pool::info().waiting, 0);
    assert_eq!(submit(&[3]), Ok(()));
    assert_eq!(begun(2), [3]);
    assert_eq!(submit(&[5]), Err(Status::Busy));
}

#[test]
fn drain_answers_what_has_not_begun_and_what_runs_still_ends() {
    let (turn, _) = Turn::begin_busy();
    let (queue, other) = (open(4), open(1));
    turn.submit(&queue, &[10, 11]);
    let_pass(1);
    assert_eq!(begun(2), [10, 11]);
    turn.submit(&queue, &[12]);
    turn.submit(&other, &[20]);
    turn.submit(&queue, &[13]);
    queue.drain();
    let closed = [(12, Status::Closed), (13, Status::Closed)];
    assert_eq!(pool::info().waiting, 1);
    assert_eq!(answers(&queue, 2), closed);
    assert!(queue.take(9).is_empty());
    queue.drain();
    let_pass(10);
    assert_eq!(answers(&queue, 2), ok([10, 11]));
    assert_eq!(queue.wait(), Ok(Status::NotFound));
    assert_eq!(begun(3), [20]);
    let_pass(20);
    assert_eq!(answers(&other, 1), ok([20]));
    // A drained queue goes on.
    turn.submit(&queue, &[30]);
    let_pass(30);
    assert_eq!(answers(&queue, 1), ok([30]));
}

#[test]
fn close_wakes_who_waits_and_forgets_what_runs() {
    let (turn, _) = Turn::begin_busy();
    let queue = open(9);
    let id = queue.id;
    turn.submit(&queue, &[10, 11]);
    let_pass(1);
    assert_eq!(begun(2), [10, 11]);
    turn.submit(&queue, &[12, 13]);
    let waiters = [waiter(&queue), waiter(&queue)];
    assert_eq!(queue::close(id), Ok(()));
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), Err(Status::Closed));
    }
    assert_eq!(queue::close(id), Err(Status::InvalidHandle));
    assert_eq!(queue::find(id).err(), Some(Status::InvalidHandle));
    assert_eq!(pool::info().waiting, 0);
    // Who found it before the close gets nothing in line, and no answer.
    let late = queue.submit(turn.handle, Wish::Light, &tasks(&[14]));
    assert_eq!(late, Err(Status::Closed));
    queue.drain();
    let_pass(10);
    while pool::info().idle == 0 {
        yield_now();
    }
    assert!(queue.take(9).is_empty());
    // Nor does anybody get what was done before.
    let done = open(1);
    turn.submit(&done, &[30]);
    done.drain();
    queue::close(done.id).unwrap();
    assert!(done.take(1).is_empty());
    assert_eq!(Arc::strong_count(&queue), 1, "the pool let go of it");
}

#[test]
fn a_queue_that_closes_takes_nothing_from_those_in_the_same_batch() {
    let (turn, _) = Turn::begin_busy();
    let queues = [open(9), open(9), open(9)];
    turn.submit(&queues[0], &[10]);
    turn.submit(&queues[1], &[20, 21]);
    turn.submit(&queues[2], &[30]);
    turn.submit(&queues[0], &[11]);
    let_pass(1);
    assert_eq!(begun(2), [10, 20, 21, 30, 11]);
    queue::close(queues[1].id).unwrap();
    let_pass(10);
    assert_eq!(answers(&queues[0], 2), ok([10, 11]));
    assert_eq!(answers(&queues[2], 1), ok([30]));
}

#[test]
fn of_two_who_wait_for_the_last_answer_none_sleeps_on() {
    let (_turn, busy) = Turn::begin_busy();
    let busy = Arc::clone(&busy);
    let_pass(2);
    assert_eq!(answers(&busy, 1), ok([2]));
    let waiters = [(); 2].map(|()| {
        let busy = busy.clone();
        spawn(move || (busy.wait().unwrap(), busy.take(1).len()))
    });
    let_pass(1);
    let mut said = waiters.map(|waiter| waiter.join().unwrap());
    said.sort_by_key(|answer| answer.1);
    assert_eq!(said[1], (Status::Ok, 1));
    assert!([(Status::Ok, 0), (Status::NotFound, 0)].contains(&said[0]));
}

#[test]
fn a_queue_is_closed_with_the_thread_that_owns_it() {
    let turn = Turn::begin();
    let (say, hear) = channel();
    let (end, ending) = channel::<()>();
    let owner = spawn(move || {
        let owner = owners::begin().unwrap();
        say.send((owner, queue::open(owner, 2, 0).unwrap()))
            .unwrap();
        ending.recv().unwrap_err();
    });
    let (owner_id, id) = hear.recv().unwrap();
    let queue = queue::find(id).unwrap();
    turn.submit(&queue, &[1, 2]);
    let waiter = waiter(&queue);
    drop(end);
    owner.join().unwrap();
    assert_eq!(waiter.join().unwrap(), Err(Status::Closed));
    assert_eq!(queue::find(id).err(), Some(Status::InvalidHandle));
    let open = queue::open(owner_id, 1, 0);
    assert_eq!(open, Err(Status::InvalidHandle), "the owner ended");
    // An owner that ends by a call.
    let owner = owners::begin().unwrap();
    let id = queue::open(owner, 1, 0).unwrap();
    owners::end(owner);
    assert_eq!(queue::find(id).err(), Some(Status::InvalidHandle));
}

#[test]
fn a_panic_is_an_answer_and_the_thread_goes_on() {
    let (turn, queue) = (Turn::begin(), open(9));
    let shape = Shape::of_epoch(&PANICKING, 0, 0).unwrap();
    let panicking = registry::open(shape, NOBODY).unwrap();
    let before = pool::info();
    for _ in 0..3 {
        let some = tasks(&[1, 2, 3]);
        queue.submit(panicking, Wish::Light, &some).unwrap();
        let panics = [1, 2, 3].map(|ticket| (ticket, Status::Panic));
        assert_eq!(answers(&queue, 3), panics);
    }
    registry::close(panicking).unwrap();
    let after = pool::info();
    assert_eq!((after.threads, after.hashed), (THREADS, before.hashed));
    // Both threads are still there.
    for nonce in [1, 2] {
        turn.submit(&queue, &[nonce]);
        assert_eq!(begun(nonce as usize - 1), [nonce]);
    }
}

#[test]
fn a_dataset_that_goes_before_its_turn_is_an_answer() {
    let (_turn, _) = Turn::begin_busy();
    let queue = open(9);
    let handle = registry::open(tiny_shape(), NOBODY).unwrap();
    let context = registry::lease(handle).unwrap().context;
    prepare_in_memory(&context);
    queue.submit(handle, Wish::Dataset, &tasks(&[10])).unwrap();
    queue.submit(handle, Wish::Best, &tasks(&[11])).unwrap();
    context.detach();
    let refused = queue.submit(handle, Wish::Dataset, &tasks(&[12]));
    assert_eq!(refused, Err(Status::NoDataset));
    let_pass(1);
    let expected = [(10, Status::NoDataset), (11, Status::Ok)];
    assert_eq!(answers(&queue, 2), expected);
    registry::close(handle).unwrap();
}

#[test]
fn shares_keep_their_context_and_nothing_else_does() {
    let (_turn, _) = Turn::begin_busy();
    let queue = open(9);
    let submit = || {
        let handle = registry::open(tiny_shape(), NOBODY).unwrap();
        let context = Arc::downgrade(&registry::lease(handle).unwrap().context);
        queue.submit(handle, Wish::Light, &tasks(&[10])).unwrap();
        registry::close(handle).unwrap();
        context
    };
    let hashed = submit();
    assert!(hashed.strong_count() > 0);
    let_pass(1);
    assert_eq!(answers(&queue, 1), ok([10]));
    while hashed.strong_count() > 0 {
        yield_now();
    }
    // The thread that is idle now is busy again, so that the rest only waits.
    let busy = open(1);
    let gated = registry::open(Shape::of_epoch(&GATED, 0, 0).unwrap(), NOBODY).unwrap();
    busy.submit(gated, Wish::Light, &tasks(&[3])).unwrap();
    assert_eq!(begun(2), [3]);
    registry::close(gated).unwrap();
    let drained = submit();
    assert!(drained.strong_count() > 0);
    queue.drain();
    assert_eq!(drained.strong_count(), 0);
    let closed = submit();
    queue::close(queue.id).unwrap();
    assert_eq!(closed.strong_count(), 0);
}

#[test]
fn as_many_queues_as_documented_can_be_open() {
    let _turn = Turn::begin();
    let mut opened = Vec::new();
    let full = loop {
        match queue::open(NOBODY, 1, 0) {
            Ok(id) => opened.push(id),
            Err(status) => break status,
        }
    };
    assert_eq!(full, Status::TooManyHandles);
    assert_eq!(opened.len(), QUEUES_MAX);
    opened.into_iter().for_each(|id| queue::close(id).unwrap());
}
