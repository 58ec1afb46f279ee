//! A thousand open-close cycles leave nothing behind: alone in its process, whose memory it reads.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]
#![cfg(target_os = "linux")]

use std::ptr::null;

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
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
    assert_eq!(quarry_ethash_context_close(handle), 0);
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
fn a_thousand_contexts_leave_no_memory_handles_or_threads() {
    (0..100).for_each(cycle);
    let (resident, threads, open) = (status("VmRSS"), status("Threads"), open_handles());
    (100..1100).for_each(cycle);
    let growth = status("VmRSS").saturating_sub(resident);
    assert!(growth < 2048, "grew by {growth} KiB");
    // A thread that was joined may still be on its way out.
    assert!(status("Threads") <= threads + 2);
    assert_eq!(open_handles(), open);
}
