//! A thousand cycles of contexts and queues leave nothing behind: alone in its process, whose memory it reads.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]
#![cfg(target_os = "linux")]

use std::ptr::null;

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
use quarry_ethash::ffi_queue::*;
use quarry_ethash::pool;
use quarry_ethash::registry::open_handles;

/// Cache and dataset large enough for maps of their own: 4 and 8 MiB.
const CACHE_ITEMS: u32 = 65_521;
const DATASET_ITEMS: u32 = 65_521;

fn cycle(i: u32) {
    let mut handle = 0;
    // Few rounds of cache building: most cycles are about a small context, some about a large one.
    let (cache_items, dataset_items) = match i % 50 {
        0 => (CACHE_ITEMS, DATASET_ITEMS),
        _ => (61, 251),
    };
    let opened = unsafe {
        quarry_ethash_context_open_sized(0, i % 2, cache_items, dataset_items, i % 7, &mut handle)
    };
    assert_eq!(opened, 0);
    assert_eq!(
        unsafe { quarry_ethash_dataset_prepare(handle, null(), 0, 2) },
        0
    );
    let mut out = [0; 64];
    let hashed = unsafe {
        quarry_ethash_verify_batch(
            handle,
            USE_DATASET,
            [7; 40].as_ptr(),
            40,
            out.as_mut_ptr(),
            64,
        )
    };
    assert_eq!(hashed, 0);
    queue_cycle(i, handle);
    assert_eq!(quarry_ethash_context_close(handle), 0);
}

/// A queue that is closed with its answers taken, or with shares done, hashed or waiting still.
fn queue_cycle(i: u32, handle: u32) {
    let mut queue = 0;
    // As large as can be: room that nobody uses costs nothing.
    let opened = unsafe { quarry_ethash_queue_open(0, 65_536, 2, &mut queue) };
    assert_eq!(opened, 0);
    let tasks = vec![0; 300 * TASK_BYTES];
    for _ in 0..2 {
        let flags = USE_DATASET;
        let submitted = unsafe {
            quarry_ethash_queue_submit(queue, handle, flags, tasks.as_ptr(), tasks.len())
        };
        assert_eq!(submitted, 0);
    }
    let mut out = [0; 100 * DONE_BYTES];
    let mut take = || {
        let mut count = 0;
        let (room, length) = (out.as_mut_ptr(), out.len());
        let taken = unsafe { quarry_ethash_queue_take(queue, room, length, &mut count) };
        assert_eq!(taken, 0);
        count
    };
    match i % 4 {
        0 => {
            let mut left = 600;
            while left > 0 {
                assert_eq!(quarry_ethash_queue_wait(queue), 0);
                left -= take();
            }
        }
        1 => {
            assert_eq!(quarry_ethash_queue_wait(queue), 0);
            take();
        }
        2 => assert_eq!(quarry_ethash_queue_drain(queue), 0),
        _ => {}
    }
    assert_eq!(quarry_ethash_queue_close(queue), 0);
}

/// Waits until nothing is hashed any more.
fn rest() {
    while pool::info().idle < pool::info().threads {
        std::thread::yield_now();
    }
    assert_eq!(pool::info().waiting, 0);
}

fn status(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.trim_start_matches(':')
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[test]
fn a_thousand_contexts_and_queues_leave_no_memory_handles_or_threads() {
    (0..100).for_each(cycle);
    rest();
    let (resident, threads, open) = (status("VmRSS"), status("Threads"), open_handles());
    (100..1100).for_each(cycle);
    rest();
    let growth = status("VmRSS").saturating_sub(resident);
    assert!(growth < 2048, "grew by {growth} KiB");
    // A thread that was joined may still be on its way out.
    assert!(status("Threads") <= threads + 2);
    assert_eq!(open_handles(), open);
}
