//! The C ABI: the header compiles, its tables equal Rust's, and wrong calls get codes.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::{null, null_mut};

use common::requests;
use quarry_ethash::algorithm::ALGORITHMS;
use quarry_ethash::epoch::{MAX_EPOCH, MAX_SEED_ROUNDS};
use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
use quarry_ethash::ffi_queue::*;
use quarry_ethash::generate::Phase;
use quarry_ethash::pool::THREADS_MAX;
use quarry_ethash::queue::{CAPACITY_MAX, QUEUES_MAX};
use quarry_ethash::registry::HANDLES_MAX;
use quarry_ethash::search::SEARCH_MAX;
use quarry_ethash::status::{STATUS_TABLE, Status};

fn header() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("include/quarry_ethash.h")
}

#[test]
fn the_header_compiles_as_c_and_as_cpp() {
    for language in ["c", "c++"] {
        let compiled = Command::new("cc")
            .args([
                "-x",
                language,
                "-fsyntax-only",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
            ])
            .arg(header())
            .output();
        let output = compiled.expect("a C compiler named cc is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn the_header_and_the_code_have_the_same_numbers() {
    let text = std::fs::read_to_string(header()).unwrap();
    let mut written = BTreeMap::new();
    for line in text.lines() {
        let line = line
            .split("/*")
            .next()
            .unwrap()
            .trim()
            .trim_end_matches(',');
        let pair = match line.strip_prefix("#define ") {
            Some(define) => define.split_once(' '),
            None => line.split_once(" = "),
        };
        let Some((name, value)) = pair else { continue };
        let Some(name) = name.strip_prefix("QUARRY_") else {
            continue;
        };
        written.insert(name.to_owned(), value.trim().parse::<i64>().unwrap());
    }
    let mut expected: BTreeMap<String, i64> = STATUS_TABLE
        .iter()
        .map(|&(name, code)| (name.to_owned(), i64::from(code)))
        .collect();
    for algorithm in ALGORITHMS {
        let name = format!("ALGORITHM_{}", algorithm.name.to_uppercase());
        expected.insert(name, i64::from(algorithm.code));
    }
    for (name, value) in [
        ("ABI_VERSION", i64::from(ABI_VERSION)),
        ("USE_DATASET", i64::from(USE_DATASET)),
        ("PREFER_DATASET", i64::from(PREFER_DATASET)),
        ("TASK_HASH", i64::from(TASK_HASH)),
        ("TASK_CLAIM", i64::from(TASK_CLAIM)),
        ("PHASE_IDLE", Phase::Idle as i64),
        ("PHASE_WAITING", Phase::Waiting as i64),
        ("PHASE_CHECKING", Phase::Checking as i64),
        ("PHASE_GENERATING", Phase::Generating as i64),
        ("CLAIM_BYTES", CLAIM_BYTES as i64),
        ("EPOCH_MAX", i64::from(MAX_EPOCH)),
        ("SEED_ROUNDS_MAX", i64::from(MAX_SEED_ROUNDS)),
        ("HANDLES_MAX", HANDLES_MAX as i64),
        ("BATCH_MAX", BATCH_MAX as i64),
        ("QUEUES_MAX", QUEUES_MAX as i64),
        ("CAPACITY_MAX", CAPACITY_MAX as i64),
        ("THREADS_MAX", THREADS_MAX as i64),
        ("SEARCH_MAX", i64::from(SEARCH_MAX)),
        ("PATH_BYTES_MAX", PATH_BYTES_MAX as i64),
        ("MESSAGE_BYTES_MAX", MESSAGE_BYTES_MAX as i64),
        ("RECORD_BYTES", RECORD_BYTES as i64),
        ("OUTPUT_BYTES", OUTPUT_BYTES as i64),
        ("TASK_BYTES", TASK_BYTES as i64),
        ("DONE_BYTES", DONE_BYTES as i64),
        ("FOUND_BYTES", FOUND_BYTES as i64),
    ] {
        expected.insert(name.to_owned(), value);
    }
    assert_eq!(written, expected);
}

fn open_tiny(seed_rounds: u32) -> u32 {
    let mut handle = 0;
    let code =
        unsafe { quarry_ethash_context_open_sized(0, 0, 1021, 4093, seed_rounds, &mut handle) };
    assert_eq!(code, Status::Ok as i32);
    handle
}

fn verify(handle: u32, flags: u32, records: &[u8], out: &mut [u8]) -> i32 {
    unsafe {
        quarry_ethash_verify_batch(
            handle,
            flags,
            records.as_ptr(),
            records.len(),
            out.as_mut_ptr(),
            out.len(),
        )
    }
}

fn records(count: usize) -> Vec<u8> {
    requests(count)
        .iter()
        .flat_map(|request| [&request.header[..], &request.nonce.to_le_bytes()].concat())
        .collect()
}

#[test]
fn wrong_lengths_get_a_code() {
    let handle = open_tiny(10);
    let wrong = Status::InvalidLength as i32;
    assert_eq!(
        verify(handle, 0, &records(2), &mut [0; 128]),
        Status::Ok as i32
    );
    assert_eq!(verify(handle, 0, &records(2), &mut [0; 127]), wrong);
    assert_eq!(verify(handle, 0, &records(2), &mut [0; 64]), wrong);
    assert_eq!(verify(handle, 0, &records(2)[1..], &mut [0; 128]), wrong);
    assert_eq!(verify(handle, 0, &[], &mut []), wrong);
    let many = records(BATCH_MAX + 1);
    assert_eq!(
        verify(handle, 0, &many, &mut vec![0; (BATCH_MAX + 1) * 64]),
        wrong
    );
    let search = |count, out: &mut [u8]| unsafe {
        let (zeros, length) = ([0; 32], out.len());
        let (header, target) = (zeros.as_ptr(), zeros.as_ptr());
        quarry_ethash_search(
            handle,
            0,
            header,
            0,
            count,
            target,
            out.as_mut_ptr(),
            length,
        )
    };
    assert_eq!(search(1, &mut [0; 80]), Status::NotFound as i32);
    assert_eq!(search(1, &mut [0; 79]), wrong);
    assert_eq!(search(0, &mut [0; 80]), wrong);
    assert_eq!(search(SEARCH_MAX + 1, &mut [0; 80]), wrong);
    assert_eq!(
        unsafe { quarry_ethash_dataset_attach(handle, b"".as_ptr(), 0) },
        wrong
    );
    assert_eq!(
        unsafe { quarry_ethash_dataset_attach(handle, b"a\0b".as_ptr(), 3) },
        wrong
    );
    assert_eq!(
        unsafe { quarry_ethash_dataset_attach(handle, [0xff].as_ptr(), 1) },
        wrong
    );
    assert_eq!(quarry_ethash_context_close(handle), Status::Ok as i32);
}

#[test]
fn null_pointers_get_a_code() {
    let handle = open_tiny(11);
    let (zeros, mut out) = ([0u8; 80], [0u8; 80]);
    let (some, room) = (zeros.as_ptr(), out.as_mut_ptr());
    let codes = unsafe {
        [
            quarry_ethash_context_open(0, 0, 0, 0, null_mut()),
            quarry_ethash_context_open_sized(0, 0, 1, 1, 0, null_mut()),
            quarry_ethash_owner_begin(null_mut()),
            quarry_ethash_context_info(handle, null_mut()),
            quarry_ethash_seed_hash(0, null_mut()),
            quarry_ethash_keccak256(null(), 0, room),
            quarry_ethash_keccak256(some, 0, null_mut()),
            quarry_ethash_final_hash(0, null(), 0, some, room),
            quarry_ethash_final_hash(0, some, 0, null(), room),
            quarry_ethash_final_hash(0, some, 0, some, null_mut()),
            quarry_ethash_verify_batch(handle, 0, null(), 40, room, 64),
            quarry_ethash_verify_batch(handle, 0, some, 40, null_mut(), 64),
            quarry_ethash_search(handle, 0, null(), 0, 1, some, room, 80),
            quarry_ethash_search(handle, 0, some, 0, 1, null(), room, 80),
            quarry_ethash_search(handle, 0, some, 0, 1, some, null_mut(), 80),
            quarry_ethash_dataset_write(handle, null(), 1, 1),
            quarry_ethash_dataset_write_dummy(0, 0, 0, null(), 1),
            quarry_ethash_dataset_attach(handle, null(), 1),
        ]
    };
    for (i, code) in codes.into_iter().enumerate() {
        assert_eq!(code, Status::NullPointer as i32, "call {i}");
    }
    assert_eq!(quarry_ethash_context_close(handle), Status::Ok as i32);
}

#[test]
fn absurd_epochs_and_unknown_algorithms_get_a_code() {
    let mut handle = 0;
    let open = |algorithm, epoch, rounds, handle: &mut u32| unsafe {
        quarry_ethash_context_open(0, algorithm, epoch, rounds, handle)
    };
    let invalid = Status::InvalidEpoch as i32;
    assert_eq!(open(0, MAX_EPOCH + 1, 0, &mut handle), invalid);
    assert_eq!(open(0, u32::MAX, u32::MAX, &mut handle), invalid);
    assert_eq!(open(0, 0, MAX_SEED_ROUNDS + 1, &mut handle), invalid);
    assert_eq!(open(77, 0, 0, &mut handle), Status::Unsupported as i32);
    assert_eq!(
        unsafe { quarry_ethash_seed_hash(u32::MAX, [0; 32].as_mut_ptr()) },
        invalid
    );
    assert_eq!(
        unsafe { quarry_ethash_context_open_sized(0, 0, 1 << 20, 1, 0, &mut handle) },
        invalid
    );
    assert_eq!(handle, 0, "nothing was written");
}

#[test]
fn freed_handles_get_a_code_and_never_come_back() {
    let first = open_tiny(12);
    let second = open_tiny(12);
    assert_ne!(first, second);
    assert_eq!(quarry_ethash_context_close(first), Status::Ok as i32);
    assert_eq!(
        quarry_ethash_context_close(first),
        Status::InvalidHandle as i32
    );
    assert_eq!(
        verify(first, 0, &records(1), &mut [0; 64]),
        Status::InvalidHandle as i32
    );
    assert_eq!(
        verify(0, 0, &records(1), &mut [0; 64]),
        Status::InvalidHandle as i32
    );
    assert_eq!(
        verify(second, 0, &records(1), &mut [0; 64]),
        Status::Ok as i32
    );
    assert!(open_tiny(12) > second);
}

#[test]
fn flags_are_checked_and_a_missing_dataset_gets_a_code() {
    let handle = open_tiny(13);
    let out = &mut [0; 64];
    assert_eq!(
        verify(handle, USE_DATASET, &records(1), out),
        Status::NoDataset as i32
    );
    assert_eq!(
        verify(handle, 3, &records(1), out),
        Status::Unsupported as i32
    );
    assert_eq!(quarry_ethash_context_close(handle), Status::Ok as i32);
}

#[test]
fn records_and_outputs_have_the_documented_layout() {
    let handle = open_tiny(14);
    let records = records(3);
    let mut out = [0; 192];
    assert_eq!(verify(handle, 0, &records, &mut out), Status::Ok as i32);
    for (record, output) in records.chunks_exact(40).zip(out.chunks_exact(64)) {
        let nonce = u64::from_le_bytes(record[32..].try_into().unwrap());
        let (mut result, mut found) = ([0; 32], [0; 80]);
        let code = unsafe {
            let (header, mix) = (record.as_ptr(), output.as_ptr());
            quarry_ethash_final_hash(0, header, nonce, mix, result.as_mut_ptr())
        };
        assert_eq!(code, Status::Ok as i32);
        assert_eq!(result, output[32..]);
        let code = unsafe {
            let (header, target, room) = (record.as_ptr(), result.as_ptr(), found.as_mut_ptr());
            quarry_ethash_search(handle, 0, header, nonce, 1, target, room, 80)
        };
        assert_eq!(code, Status::Ok as i32);
        assert_eq!(found[..8], record[32..]);
        assert_eq!(found[8..16], 1u64.to_le_bytes());
        assert_eq!(found[16..], *output);
    }
    let mut info = ContextInfo::default();
    assert_eq!(
        unsafe { quarry_ethash_context_info(handle, &mut info) },
        Status::Ok as i32
    );
    let expected = ContextInfo {
        cache_items: 1021,
        dataset_items: 4093,
        seed_rounds: 14,
        has_dataset: 0,
    };
    assert_eq!(info, expected);
    assert_eq!(quarry_ethash_context_close(handle), Status::Ok as i32);
}

#[test]
fn threads_that_open_one_shape_together_share_it() {
    let handles: Vec<u32> = std::thread::scope(|scope| {
        let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| open_tiny(15))).collect();
        openers
            .into_iter()
            .map(|opener| opener.join().unwrap())
            .collect()
    });
    let leases: Vec<_> = handles
        .iter()
        .map(|&handle| quarry_ethash::registry::lease(handle).unwrap())
        .collect();
    for lease in &leases {
        assert!(std::sync::Arc::ptr_eq(&lease.context, &leases[0].context));
    }
    let weak = std::sync::Arc::downgrade(&leases[0].context);
    drop(leases);
    for handle in handles {
        assert_eq!(quarry_ethash_context_close(handle), Status::Ok as i32);
    }
    assert!(
        weak.upgrade().is_none(),
        "the memory goes with the last handle"
    );
}

#[test]
fn handles_are_closed_with_the_thread_that_owns_them() {
    let open = |owner| {
        let mut handle = 0;
        let code = unsafe { quarry_ethash_context_open_sized(owner, 0, 61, 127, 40, &mut handle) };
        (code, handle)
    };
    let begin = || {
        let mut owner = 0;
        assert_eq!(unsafe { quarry_ethash_owner_begin(&mut owner) }, 0);
        owner
    };
    let info = |handle| {
        let mut info = ContextInfo::default();
        unsafe { quarry_ethash_context_info(handle, &mut info) }
    };
    let mine = begin();
    let (_, kept) = open(mine);
    // A worker's thread begins the owner; other threads open and use handles for it.
    let (owner, handle) = std::thread::spawn(move || {
        let owner = begin();
        let (code, handle) = std::thread::spawn(move || open(owner)).join().unwrap();
        assert_eq!((code, info(handle)), (0, 0));
        (owner, handle)
    })
    .join()
    .unwrap();
    // The destructor runs when the thread is joined or a moment later.
    while info(handle) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(info(handle), Status::InvalidHandle as i32);
    assert_eq!(
        open(owner).0,
        Status::InvalidHandle as i32,
        "an owner that ended opens nothing"
    );
    assert_eq!(info(kept), 0);
    assert_eq!(quarry_ethash_owner_end(mine), 0);
    assert_eq!(info(kept), Status::InvalidHandle as i32);
    assert_eq!(quarry_ethash_owner_end(4_000_000_000), 0);
}
