//! The whole way through the C border over the smallest contexts: small enough for Miri.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

use std::ptr::null;

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
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
