//! The whole way through the C border over the smallest contexts: small enough for Miri.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

use std::ptr::null;

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
use quarry_ethash::ffi_queue::*;
use quarry_ethash::status::Status;

fn verify(handle: u32, flags: u32, count: usize) -> Vec<u8> {
    // One byte further than aligned, on both sides.
    let records = vec![9; 40 * count + 1];
    let mut out = vec![0; 64 * count + 1];
    let code = unsafe {
        let (records, out) = (records[1..].as_ptr(), out[1..].as_mut_ptr());
        quarry_ethash_verify_batch(handle, flags, records, 40 * count, out, 64 * count)
    };
    assert_eq!(code, 0);
    out.split_off(1)
}

#[test]
fn a_context_opens_hashes_gets_a_dataset_searches_and_closes() {
    let (mut owner, mut handle) = (0, 0);
    unsafe {
        assert_eq!(quarry_ethash_owner_begin(&mut owner), 0);
        assert_eq!(
            quarry_ethash_context_open_sized(owner, 0, 3, 5, 1, &mut handle),
            0
        );
        let light = verify(handle, 0, 1);
        assert_eq!(quarry_ethash_dataset_prepare(handle, null(), 0, 2), 0);
        assert_eq!(
            verify(handle, USE_DATASET, 3),
            [&light[..], &light, &light].concat()
        );
        let (header, mut found) = ([9; 32], [0u8; 80]);
        let target = light[32..].as_ptr();
        let nonce = u64::from_le_bytes([9; 8]);
        let out = found.as_mut_ptr();
        let code = quarry_ethash_search(
            handle,
            USE_DATASET,
            header.as_ptr(),
            nonce,
            1,
            target,
            out,
            80,
        );
        assert_eq!(code, Status::Ok as i32);
        assert_eq!(found[16..], light);
    }
    assert_eq!(quarry_ethash_dataset_detach(handle), 0);
    assert_eq!(quarry_ethash_owner_end(owner), 0);
    assert_eq!(
        quarry_ethash_context_close(handle),
        Status::InvalidHandle as i32
    );
}

#[test]
fn the_other_algorithms_hash_too() {
    let mut handle = 0;
    unsafe {
        assert_eq!(
            quarry_ethash_context_open_sized(0, 1, 2, 2, 0, &mut handle),
            0
        );
        assert_eq!(quarry_ethash_dataset_prepare(handle, null(), 0, 1), 0);
        verify(handle, PREFER_DATASET, 1);
        assert_eq!(quarry_ethash_context_close(handle), 0);
        assert_eq!(quarry_ethash_context_open(0, 2, 0, 0, &mut handle), 0);
        verify(handle, PREFER_DATASET, 5);
        assert_eq!(quarry_ethash_context_close(handle), 0);
    }
}

/// Its threads stay as long as the process.
#[test]
fn a_queue_hashes_on_threads_of_its_own() {
    const FRKHASH: u32 = 2;
    let (mut owner, mut handle, mut queue) = (0, 0, 0);
    unsafe {
        assert_eq!(quarry_ethash_owner_begin(&mut owner), 0);
        let opened = quarry_ethash_context_open(owner, FRKHASH, 0, 0, &mut handle);
        assert_eq!(opened, 0);
        assert_eq!(quarry_ethash_queue_open(owner, 4, 2, &mut queue), 0);
    }
    let hash = verify(handle, 0, 1);
    let waiter = std::thread::spawn(move || {
        // Until there is something to wait for.
        loop {
            match quarry_ethash_queue_wait(queue) {
                0 => break,
                code => assert_eq!(code, Status::NotFound as i32),
            }
            std::thread::yield_now();
        }
        quarry_ethash_queue_wait(queue)
    });
    // Two shares, and a claim that is refused for its target of zero; one byte off any alignment.
    let mut tasks = vec![9; 3 * TASK_BYTES + 1];
    for (i, task) in tasks[1..]
        .as_chunks_mut::<TASK_BYTES>()
        .0
        .iter_mut()
        .enumerate()
    {
        task[..4].copy_from_slice(&[i as u8, 0, 0, 0]);
        task[4..8].copy_from_slice(&[u8::from(i == 2), 0, 0, 0]);
        task[80..].fill(0);
    }
    let submitted = unsafe {
        quarry_ethash_queue_submit(queue, handle, 0, tasks[1..].as_ptr(), 3 * TASK_BYTES)
    };
    assert_eq!(submitted, 0);
    assert_eq!(
        waiter.join().unwrap(),
        0,
        "nothing was taken, so there is still something"
    );
    let mut answered = [false; 3];
    while answered != [true; 3] {
        assert_eq!(quarry_ethash_queue_wait(queue), 0);
        let (mut out, mut count) = ([0; 2 * DONE_BYTES + 1], 0);
        let room = out[1..].as_mut_ptr();
        let taken = unsafe { quarry_ethash_queue_take(queue, room, 2 * DONE_BYTES, &mut count) };
        assert_eq!(taken, 0);
        for answer in &out[1..].as_chunks::<DONE_BYTES>().0[..count as usize] {
            let ticket = usize::from(answer[0]);
            let refused = answer[4] == Status::ClaimFailed as u8;
            assert_eq!(refused, ticket == 2);
            assert!(refused || answer[8..] == hash);
            assert!(!std::mem::replace(&mut answered[ticket], true));
        }
    }
    assert_eq!(quarry_ethash_queue_wait(queue), Status::NotFound as i32);
    // Closed with shares under way, while a thread waits or is about to.
    let waiter = std::thread::spawn(move || quarry_ethash_queue_wait(queue));
    unsafe { quarry_ethash_queue_submit(queue, handle, 0, tasks[1..].as_ptr(), TASK_BYTES) };
    assert_eq!(quarry_ethash_queue_drain(queue), 0);
    assert_eq!(quarry_ethash_owner_end(owner), 0);
    waiter.join().unwrap();
    assert_eq!(
        quarry_ethash_queue_close(queue),
        Status::InvalidHandle as i32
    );
}
