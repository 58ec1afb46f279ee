//! The C ABI of queues: layouts as the header documents them, and a code for every wrong call.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::ptr::{null, null_mut};

use common::requests;
use quarry_ethash::ffi::*;
use quarry_ethash::ffi_queue::*;
use quarry_ethash::pool::{PoolInfo, THREADS_MAX};
use quarry_ethash::queue::CAPACITY_MAX;
use quarry_ethash::status::Status;

const OK: i32 = Status::Ok as i32;
const WRONG_LENGTH: i32 = Status::InvalidLength as i32;
const WRONG_HANDLE: i32 = Status::InvalidHandle as i32;

fn open(owner: u32, capacity: usize, threads: usize) -> (i32, u32) {
    let mut queue = 0;
    let (capacity, threads) = (capacity as u32, threads as u32);
    let code = unsafe { quarry_ethash_queue_open(owner, capacity, threads, &mut queue) };
    (code, queue)
}

fn open_tiny(seed_rounds: u32) -> u32 {
    let mut handle = 0;
    let code = unsafe { quarry_ethash_context_open_sized(0, 0, 61, 127, seed_rounds, &mut handle) };
    assert_eq!(code, OK);
    handle
}

/// The bytes of tasks; tickets count from 1.
fn tasks(count: usize, kind: u32) -> Vec<u8> {
    let requests = requests(count);
    let task = |(i, request): (usize, &quarry_ethash::hashimoto::Request)| {
        let mut bytes = Vec::new();
        bytes.extend((i as u32 + 1).to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(request.nonce.to_le_bytes());
        bytes.extend(request.header);
        bytes.extend([3; 32]);
        bytes.extend([0x80; 32]);
        bytes
    };
    requests.iter().enumerate().flat_map(task).collect()
}

fn submit(queue: u32, handle: u32, flags: u32, tasks: &[u8]) -> i32 {
    unsafe { quarry_ethash_queue_submit(queue, handle, flags, tasks.as_ptr(), tasks.len()) }
}

fn take(queue: u32, out: &mut [u8]) -> (i32, u32) {
    let mut count = 77;
    let (start, length) = (out.as_mut_ptr(), out.len());
    let code = unsafe { quarry_ethash_queue_take(queue, start, length, &mut count) };
    (code, count)
}

/// Waits for and takes so many answers, by ticket.
fn answers(queue: u32, count: usize) -> Vec<[u8; DONE_BYTES]> {
    let mut taken: Vec<[u8; DONE_BYTES]> = Vec::new();
    while taken.len() < count {
        assert_eq!(quarry_ethash_queue_wait(queue), OK);
        // An odd address: outputs need no alignment.
        let mut out = [0; 1 + 3 * DONE_BYTES];
        let (code, some) = take(queue, &mut out[1..]);
        assert_eq!(code, OK);
        taken.extend(&out[1..].as_chunks().0[..some as usize]);
    }
    taken.sort_by_key(|answer| u32::from_le_bytes(*answer.first_chunk().unwrap()));
    taken
}

#[test]
fn tasks_and_answers_have_the_documented_layout() {
    let (handle, (_, queue)) = (open_tiny(1), open(0, 10, 2));
    let hashed = tasks(3, TASK_HASH);
    assert_eq!(submit(queue, handle, 0, &hashed), OK);
    let records: Vec<u8> = hashed
        .as_chunks::<TASK_BYTES>()
        .0
        .iter()
        .flat_map(|task| [&task[16..48], &task[8..16]].concat())
        .collect();
    let mut outputs = [0; 3 * OUTPUT_BYTES];
    let (start, out) = (records.as_ptr(), outputs.as_mut_ptr());
    let code = unsafe { quarry_ethash_verify_batch(handle, 0, start, 120, out, 192) };
    assert_eq!(code, OK);
    let outputs = outputs.as_chunks::<OUTPUT_BYTES>().0;
    for (i, answer) in answers(queue, 3).iter().enumerate() {
        assert_eq!(answer[..4], (i as u32 + 1).to_le_bytes());
        assert_eq!(answer[4..8], OK.to_le_bytes());
        assert_eq!(answer[8..], outputs[i]);
    }

    let claims = tasks(10, TASK_CLAIM);
    assert_eq!(submit(queue, handle, 0, &claims), OK);
    let mut seen = [0, 0];
    for (task, answer) in claims
        .as_chunks::<TASK_BYTES>()
        .0
        .iter()
        .zip(answers(queue, 10))
    {
        let mut result = [0; 32];
        let code = unsafe {
            let (header, mix) = (task[16..].as_ptr(), task[48..].as_ptr());
            let nonce = u64::from_le_bytes(*task[8..].first_chunk().unwrap());
            quarry_ethash_final_hash(0, header, nonce, mix, result.as_mut_ptr())
        };
        assert_eq!(code, OK);
        let passes = result[..] <= task[80..];
        seen[usize::from(passes)] += 1;
        if passes {
            assert_eq!(answer[4..8], OK.to_le_bytes());
            assert_ne!(answer[8..40], task[48..80], "the true mix digest");
        } else {
            assert_eq!(answer[4..8], (Status::ClaimFailed as i32).to_le_bytes());
            assert_eq!(answer[8..], [&task[48..80], &result].concat());
        }
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
    assert_eq!(quarry_ethash_queue_wait(queue), Status::NotFound as i32);
    assert_eq!(take(queue, &mut [0; DONE_BYTES]), (OK, 0));
    assert_eq!(quarry_ethash_queue_close(queue), OK);
    assert_eq!(quarry_ethash_context_close(handle), OK);
}

#[test]
fn wrong_lengths_kinds_and_flags_get_a_code_and_nothing_is_taken_in() {
    for (capacity, threads) in [(0, 1), (CAPACITY_MAX + 1, 1), (1, THREADS_MAX + 1)] {
        assert_eq!(open(0, capacity, threads), (WRONG_LENGTH, 0));
    }
    let (handle, (_, queue)) = (open_tiny(2), open(0, CAPACITY_MAX, 1));
    let two = tasks(2, TASK_HASH);
    assert_eq!(submit(queue, handle, 0, &[]), WRONG_LENGTH);
    assert_eq!(submit(queue, handle, 0, &two[1..]), WRONG_LENGTH);
    let many = tasks(BATCH_MAX + 1, TASK_HASH);
    assert_eq!(submit(queue, handle, 0, &many), WRONG_LENGTH);
    let unsupported = Status::Unsupported as i32;
    assert_eq!(submit(queue, handle, 3, &two), unsupported);
    // One wrong kind among right ones.
    let kinds = [&two[..], &tasks(1, TASK_CLAIM + 1)].concat();
    assert_eq!(submit(queue, handle, 0, &kinds), unsupported);
    let no_dataset = Status::NoDataset as i32;
    assert_eq!(submit(queue, handle, USE_DATASET, &two), no_dataset);
    assert_eq!(submit(queue, 0, 0, &two), WRONG_HANDLE);

    let most = BATCH_MAX * DONE_BYTES;
    for length in [0, 1, DONE_BYTES - 1, DONE_BYTES + 1, most + DONE_BYTES] {
        assert_eq!(take(queue, &mut vec![0; length]), (WRONG_LENGTH, 77));
    }
    assert_eq!(take(queue, &mut vec![0; most]), (OK, 0));
    assert_eq!(quarry_ethash_queue_wait(queue), Status::NotFound as i32);
    assert_eq!(submit(queue, handle, 0, &many[TASK_BYTES..]), OK);
    assert_eq!(answers(queue, BATCH_MAX).len(), BATCH_MAX);
    assert_eq!(quarry_ethash_context_close(handle), OK);
    assert_eq!(submit(queue, handle, 0, &two), WRONG_HANDLE);
    assert_eq!(quarry_ethash_queue_close(queue), OK);
}

#[test]
fn null_pointers_get_a_code() {
    let (handle, (_, queue)) = (open_tiny(3), open(0, 1, 1));
    let (mut out, mut count) = ([0; DONE_BYTES], 0);
    let codes = unsafe {
        [
            quarry_ethash_queue_open(0, 1, 1, null_mut()),
            quarry_ethash_queue_submit(queue, handle, 0, null(), TASK_BYTES),
            quarry_ethash_queue_take(queue, null_mut(), DONE_BYTES, &mut count),
            quarry_ethash_queue_take(queue, out.as_mut_ptr(), DONE_BYTES, null_mut()),
            quarry_ethash_pool_info(null_mut()),
        ]
    };
    assert_eq!(codes, [Status::NullPointer as i32; 5]);
    assert_eq!(quarry_ethash_queue_close(queue), OK);
    assert_eq!(quarry_ethash_context_close(handle), OK);
}

#[test]
fn closed_queues_and_those_that_never_were_get_a_code_and_never_come_back() {
    let (handle, (_, queue)) = (open_tiny(4), open(0, 1, 1));
    assert_eq!(quarry_ethash_queue_close(queue), OK);
    for queue in [queue, 0, u32::MAX] {
        let codes = [
            submit(queue, handle, 0, &tasks(1, TASK_HASH)),
            quarry_ethash_queue_wait(queue),
            take(queue, &mut [0; DONE_BYTES]).0,
            quarry_ethash_queue_drain(queue),
            quarry_ethash_queue_close(queue),
        ];
        assert_eq!(codes, [WRONG_HANDLE; 5]);
    }
    assert_eq!(
        open(4_000_000_000, 1, 1),
        (WRONG_HANDLE, 0),
        "no such owner"
    );
    assert!(open(0, 1, 1).1 > queue);
    assert_eq!(quarry_ethash_context_close(handle), OK);
}

#[test]
fn the_pool_tells_its_numbers_in_the_layout_of_the_header() {
    let (handle, (_, queue)) = (open_tiny(5), open(0, 100, 2));
    let mut before = PoolInfo::default();
    let mut after = PoolInfo::default();
    unsafe {
        assert_eq!(quarry_ethash_pool_info(&mut before), OK);
        assert_eq!(submit(queue, handle, 0, &tasks(100, TASK_HASH)), OK);
        answers(queue, 100);
        assert_eq!(quarry_ethash_pool_info(&mut after), OK);
    }
    assert!(before.threads >= 2 && after.threads >= before.threads);
    assert!(after.idle <= after.threads);
    // At least: others of this file hash at the same time.
    assert!(after.hashed >= before.hashed + 100 && after.batches >= before.batches + 2);
    assert_eq!(quarry_ethash_queue_close(queue), OK);
    assert_eq!(quarry_ethash_context_close(handle), OK);

    let source = "#include \"quarry_ethash.h\"
        _Static_assert(sizeof(struct quarry_pool_info) == 32, \"size\");
        _Static_assert(offsetof(struct quarry_pool_info, idle) == 4, \"idle\");
        _Static_assert(offsetof(struct quarry_pool_info, waiting) == 8, \"waiting\");
        _Static_assert(offsetof(struct quarry_pool_info, batches) == 16, \"batches\");
        _Static_assert(offsetof(struct quarry_pool_info, hashed) == 24, \"hashed\");";
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let mut compiler = Command::new("cc")
        .args(["-x", "c", "-std=c11", "-fsyntax-only", "-I"])
        .args([include.as_os_str(), "-".as_ref()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a C compiler named cc is installed");
    let mut stdin = compiler.stdin.take().unwrap();
    stdin.write_all(source.as_bytes()).unwrap();
    drop(stdin);
    assert!(compiler.wait().unwrap().success());
}
