//! The C ABI: checks every argument, catches every panic, answers with codes.
//!
//! `include/quarry_ethash.h` is the contract; this file keeps it.
#![allow(unsafe_code)]

use crate::algorithm::Algorithm;
use crate::context::Wish;
use crate::epoch::{MAX_SEED_ROUNDS, Shape, seed_hash};
use crate::hashimoto::{Output, Request};
use crate::keccak::keccak256;
use crate::owners;
use crate::pointers::{guard, input, input32, output, output_value};
use crate::registry::{self, Lease};
use crate::search::{Found, SEARCH_MAX, search};
use crate::status::Status;
use crate::tier::Tier;

/// Changes with every incompatible change of the header.
pub const ABI_VERSION: u32 = 3;
/// Take pages from the attached dataset instead of computing them.
pub const USE_DATASET: u32 = 1;
/// Take pages from the attached dataset if there is one.
pub const PREFER_DATASET: u32 = 2;
/// 32 bytes of header, then the nonce, 8 bytes little-endian.
pub const RECORD_BYTES: usize = 40;
/// 32 bytes of mix digest, then 32 bytes of result.
pub const OUTPUT_BYTES: usize = 64;
/// The most records of one call.
pub const BATCH_MAX: usize = 1024;
/// Nonce (8, little-endian), nonces tried (8, little-endian), mix digest (32), result (32).
pub const FOUND_BYTES: usize = 80;
/// Header (32), nonce (8, little-endian), claimed mix digest (32).
pub const CLAIM_BYTES: usize = 72;
/// Longest message of the keccak helper (bytes).
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Facts of an open context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct ContextInfo {
    /// 64-byte items of the light cache.
    pub cache_items: u32,
    /// 128-byte items of the dataset.
    pub dataset_items: u32,
    /// Rounds of keccak-256 behind the seed.
    pub seed_rounds: u32,
    /// 1 when a dataset is attached, else 0.
    pub has_dataset: u32,
}

const _: () = assert!(size_of::<ContextInfo>() == 16);

pub(crate) fn wish_of(flags: u32) -> Result<Wish, Status> {
    match flags {
        0 => Ok(Wish::Light),
        USE_DATASET => Ok(Wish::Dataset),
        PREFER_DATASET => Ok(Wish::Best),
        _ => Err(Status::Unsupported),
    }
}

/// Version of this interface.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_abi_version() -> u32 {
    ABI_VERSION
}

/// Begins an owner that ends with the calling thread; see the header.
///
/// # Safety
/// `out_owner` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_owner_begin(out_owner: *mut u32) -> i32 {
    guard(|| {
        if out_owner.is_null() {
            return Err(Status::NullPointer);
        }
        // SAFETY: as promised by the caller.
        unsafe { output_value(out_owner, owners::begin()?) }?;
        Ok(Status::Ok)
    })
}

/// Ends an owner; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_owner_end(owner: u32) -> i32 {
    guard(|| {
        owners::end(owner);
        Ok(Status::Ok)
    })
}

/// Opens the context of an epoch; see the header.
///
/// # Safety
/// `out_handle` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_context_open(
    owner: u32,
    algorithm: u32,
    size_epoch: u32,
    seed_rounds: u32,
    out_handle: *mut u32,
) -> i32 {
    guard(|| {
        let shape = Shape::of_epoch(Algorithm::of_code(algorithm)?, size_epoch, seed_rounds)?;
        // SAFETY: as promised by the caller.
        unsafe { open_shape(owner, shape, out_handle) }
    })
}

/// Opens a context of explicit item counts; see the header.
///
/// # Safety
/// `out_handle` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_context_open_sized(
    owner: u32,
    algorithm: u32,
    cache_items: u32,
    dataset_items: u32,
    seed_rounds: u32,
    out_handle: *mut u32,
) -> i32 {
    guard(|| {
        let algorithm = Algorithm::of_code(algorithm)?;
        let shape = Shape::of_items(algorithm, cache_items, dataset_items, seed_rounds)?;
        // SAFETY: as promised by the caller.
        unsafe { open_shape(owner, shape, out_handle) }
    })
}

/// # Safety
/// `out_handle` is null or points to a writable u32.
unsafe fn open_shape(owner: u32, shape: Shape, out_handle: *mut u32) -> Result<Status, Status> {
    if out_handle.is_null() {
        return Err(Status::NullPointer);
    }
    let handle = registry::open(shape, owner)?;
    // SAFETY: as promised by the caller.
    unsafe { output_value(out_handle, handle) }?;
    Ok(Status::Ok)
}

/// Closes a handle; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_context_close(handle: u32) -> i32 {
    guard(|| registry::close(handle).map(|()| Status::Ok))
}

/// Tells the facts of a context; see the header.
///
/// # Safety
/// `out` is null or points to writable memory of the struct's size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_context_info(handle: u32, out: *mut ContextInfo) -> i32 {
    guard(|| {
        let Lease { context, .. } = registry::lease(handle)?;
        let info = ContextInfo {
            cache_items: context.shape.cache_items,
            dataset_items: context.shape.dataset_items,
            seed_rounds: context.shape.seed_rounds,
            has_dataset: u32::from(context.has_dataset()),
        };
        // SAFETY: as promised by the caller.
        unsafe { output_value(out, info) }?;
        Ok(Status::Ok)
    })
}

/// Computes a seed hash; see the header.
///
/// # Safety
/// `out32` is null or points to 32 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_seed_hash(seed_rounds: u32, out32: *mut u8) -> i32 {
    guard(|| {
        if seed_rounds > MAX_SEED_ROUNDS {
            return Err(Status::InvalidEpoch);
        }
        // SAFETY: as promised by the caller.
        unsafe { output(out32, &seed_hash(seed_rounds)) }?;
        Ok(Status::Ok)
    })
}

/// Hashes a message with keccak-256; see the header.
///
/// # Safety
/// `message` is null or points to `length` readable bytes, `out32` to 32 writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_keccak256(
    message: *const u8,
    length: usize,
    out32: *mut u8,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let digest = keccak256(unsafe { input(message, length, MESSAGE_BYTES_MAX) }?);
        // SAFETY: as promised by the caller.
        unsafe { output(out32, &digest) }?;
        Ok(Status::Ok)
    })
}

/// Computes the result of a claimed mix digest; see the header.
///
/// # Safety
/// `header32` and `mix32` are null or point to 32 readable bytes, `out32` to 32 writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_final_hash(
    algorithm: u32,
    header32: *const u8,
    nonce: u64,
    mix32: *const u8,
    out32: *mut u8,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let (header, mix) = unsafe { (input32(header32)?, input32(mix32)?) };
        let mut outputs = [Output {
            mix,
            ..Output::ZERO
        }];
        let algorithm = Algorithm::of_code(algorithm)?;
        algorithm.final_hashes(Tier::chosen()?, &[Request { header, nonce }], &mut outputs);
        // SAFETY: as promised by the caller.
        unsafe { output(out32, &outputs[0].result) }?;
        Ok(Status::Ok)
    })
}

/// Computes the results of many claimed mix digests; see the header.
///
/// # Safety
/// `claims` is null or points to `claims_bytes` readable bytes, `out` to `out_bytes` writable ones,
/// and nobody touches either during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_final_hash_batch(
    algorithm: u32,
    claims: *const u8,
    claims_bytes: usize,
    out: *mut u8,
    out_bytes: usize,
) -> i32 {
    guard(|| {
        let algorithm = Algorithm::of_code(algorithm)?;
        // SAFETY: as promised by the caller.
        let bytes = unsafe { input(claims, claims_bytes, BATCH_MAX * CLAIM_BYTES) }?;
        let (claims, rest) = bytes.as_chunks::<CLAIM_BYTES>();
        if !rest.is_empty() || claims.is_empty() || out_bytes != claims.len() * 32 {
            return Err(Status::InvalidLength);
        }
        let (requests, mut outputs): (Vec<Request>, Vec<Output>) = claims
            .iter()
            .map(|claim| {
                let (record, mix) = claim.split_at(RECORD_BYTES);
                let record = record.try_into().expect("a claim begins with a record");
                let mix = mix.try_into().expect("and ends with 32 bytes");
                (
                    request_of(record),
                    Output {
                        mix,
                        ..Output::ZERO
                    },
                )
            })
            .unzip();
        algorithm.final_hashes(Tier::chosen()?, &requests, &mut outputs);
        let bytes: Vec<u8> = outputs.iter().flat_map(|output| output.result).collect();
        // SAFETY: as promised by the caller; the length was compared above.
        unsafe { output(out, &bytes) }?;
        Ok(Status::Ok)
    })
}

/// Hashes a batch of records; see the header.
///
/// # Safety
/// `records` is null or points to `records_bytes` readable bytes, `out` to `out_bytes` writable
/// ones, and nobody touches either during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_verify_batch(
    handle: u32,
    flags: u32,
    records: *const u8,
    records_bytes: usize,
    out: *mut u8,
    out_bytes: usize,
) -> i32 {
    guard(|| {
        let wish = wish_of(flags)?;
        // SAFETY: as promised by the caller.
        let bytes = unsafe { input(records, records_bytes, BATCH_MAX * RECORD_BYTES) }?;
        let (records, rest) = bytes.as_chunks::<RECORD_BYTES>();
        if !rest.is_empty() || records.is_empty() || out_bytes != records.len() * OUTPUT_BYTES {
            return Err(Status::InvalidLength);
        }
        let requests: Vec<Request> = records.iter().map(request_of).collect();
        let mut outputs = vec![Output::ZERO; requests.len()];
        let Lease { context, .. } = registry::lease(handle)?;
        context.hash(wish, &requests, &mut outputs)?;
        let bytes: Vec<u8> = outputs
            .iter()
            .flat_map(|o| [o.mix, o.result])
            .flatten()
            .collect();
        // SAFETY: as promised by the caller; the length was compared above.
        unsafe { output(out, &bytes) }?;
        Ok(Status::Ok)
    })
}

fn request_of(record: &[u8; RECORD_BYTES]) -> Request {
    let (header, nonce) = record
        .split_first_chunk::<32>()
        .expect("a record is 40 bytes");
    Request {
        header: *header,
        nonce: u64::from_le_bytes(nonce.try_into().expect("8 bytes")),
    }
}

/// Searches a range of nonces; see the header.
///
/// # Safety
/// `header32` and `target32` are null or point to 32 readable bytes, `out` to `out_bytes` writable
/// ones, and nobody touches them during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_search(
    handle: u32,
    flags: u32,
    header32: *const u8,
    start_nonce: u64,
    count: u32,
    target32: *const u8,
    out: *mut u8,
    out_bytes: usize,
) -> i32 {
    guard(|| {
        let wish = wish_of(flags)?;
        if count == 0 || count > SEARCH_MAX || out_bytes != FOUND_BYTES {
            return Err(Status::InvalidLength);
        }
        // SAFETY: as promised by the caller.
        let (header, target) = unsafe { (input32(header32)?, input32(target32)?) };
        let lease = registry::lease(handle)?;
        let hasher = lease.context.hasher(wish)?;
        let stop = || lease.is_closed();
        let (found, tried) = search(hasher, &header, start_nonce, count, &target, stop);
        // SAFETY: as promised by the caller; the length was compared above.
        unsafe { output(out, &found_bytes(found, tried)) }?;
        match found {
            Some(_) => Ok(Status::Ok),
            None if lease.is_closed() => Err(Status::Closed),
            None => Ok(Status::NotFound),
        }
    })
}

fn found_bytes(found: Option<Found>, tried: u32) -> [u8; FOUND_BYTES] {
    let mut bytes = [0; FOUND_BYTES];
    bytes[8..16].copy_from_slice(&u64::from(tried).to_le_bytes());
    if let Some(Found { nonce, output }) = found {
        bytes[..8].copy_from_slice(&nonce.to_le_bytes());
        bytes[16..48].copy_from_slice(&output.mix);
        bytes[48..].copy_from_slice(&output.result);
    }
    bytes
}
