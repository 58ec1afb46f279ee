//! The C ABI: checks every argument, catches every panic, answers with codes.
//!
//! `include/quarry_ethash.h` is the contract; this file keeps it.
#![allow(unsafe_code)]

use crate::dataset;
use crate::epoch::{MAX_SEED_ROUNDS, Shape, seed_hash};
use crate::hashimoto::{Output, Request, final_hash, hash_batch};
use crate::keccak::keccak256;
use crate::pointers::{guard, input, input32, output, output_value, path_of};
use crate::registry::{self, Lease};
use crate::search::{Found, SEARCH_MAX, search};
use crate::status::Status;

/// Changes with every incompatible change of the header.
pub const ABI_VERSION: u32 = 1;
/// keccak-512 caches: Ethash and Etchash.
pub const ALGORITHM_ETHASH: u32 = 0;
/// Take pages from the attached dataset instead of computing them.
pub const USE_DATASET: u32 = 1;
/// 32 bytes of header, then the nonce, 8 bytes little-endian.
pub const RECORD_BYTES: usize = 40;
/// 32 bytes of mix digest, then 32 bytes of result.
pub const OUTPUT_BYTES: usize = 64;
/// The most records of one call.
pub const BATCH_MAX: usize = 1024;
/// Nonce (8, little-endian), nonces tried (8, little-endian), mix digest (32), result (32).
pub const FOUND_BYTES: usize = 80;
/// Longest path (bytes).
pub const PATH_BYTES_MAX: usize = 4096;
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

fn check_flags(flags: u32) -> Result<(), Status> {
    if flags & !USE_DATASET == 0 {
        Ok(())
    } else {
        Err(Status::Unsupported)
    }
}

/// Version of this interface.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_abi_version() -> u32 {
    ABI_VERSION
}

/// Opens the context of an epoch; see the header.
///
/// # Safety
/// `out_handle` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_context_open(
    algorithm: u32,
    size_epoch: u32,
    seed_rounds: u32,
    out_handle: *mut u32,
) -> i32 {
    guard(|| {
        if algorithm != ALGORITHM_ETHASH {
            return Err(Status::Unsupported);
        }
        // SAFETY: as promised by the caller.
        unsafe { open_shape(Shape::of_epoch(size_epoch, seed_rounds)?, out_handle) }
    })
}

/// Opens a context of explicit item counts; see the header.
///
/// # Safety
/// `out_handle` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_context_open_sized(
    cache_items: u32,
    dataset_items: u32,
    seed_rounds: u32,
    out_handle: *mut u32,
) -> i32 {
    guard(|| {
        let shape = Shape::of_items(cache_items, dataset_items, seed_rounds)?;
        // SAFETY: as promised by the caller.
        unsafe { open_shape(shape, out_handle) }
    })
}

/// # Safety
/// `out_handle` is null or points to a writable u32.
unsafe fn open_shape(shape: Shape, out_handle: *mut u32) -> Result<Status, Status> {
    if out_handle.is_null() {
        return Err(Status::NullPointer);
    }
    let handle = registry::open(shape)?;
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
            has_dataset: u32::from(context.dataset().is_some()),
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
    header32: *const u8,
    nonce: u64,
    mix32: *const u8,
    out32: *mut u8,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let (header, mix) = unsafe { (input32(header32)?, input32(mix32)?) };
        let result = final_hash(&Request { header, nonce }, &mix);
        // SAFETY: as promised by the caller.
        unsafe { output(out32, &result) }?;
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
        check_flags(flags)?;
        // SAFETY: as promised by the caller.
        let bytes = unsafe { input(records, records_bytes, BATCH_MAX * RECORD_BYTES) }?;
        let (records, rest) = bytes.as_chunks::<RECORD_BYTES>();
        if !rest.is_empty() || records.is_empty() || out_bytes != records.len() * OUTPUT_BYTES {
            return Err(Status::InvalidLength);
        }
        let requests: Vec<Request> = records.iter().map(request_of).collect();
        let mut outputs = vec![Output::ZERO; requests.len()];
        let Lease { context, .. } = registry::lease(handle)?;
        if flags & USE_DATASET == 0 {
            hash_batch(&context.light(), &requests, &mut outputs);
        } else {
            let dataset = context.dataset().ok_or(Status::NoDataset)?;
            hash_batch(&*dataset, &requests, &mut outputs);
        }
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
        check_flags(flags)?;
        if count == 0 || count > SEARCH_MAX || out_bytes != FOUND_BYTES {
            return Err(Status::InvalidLength);
        }
        // SAFETY: as promised by the caller.
        let (header, target) = unsafe { (input32(header32)?, input32(target32)?) };
        let lease = registry::lease(handle)?;
        let (context, stop) = (&lease.context, || lease.is_closed());
        let (found, tried) = if flags & USE_DATASET == 0 {
            search(&context.light(), &header, start_nonce, count, &target, stop)
        } else {
            let dataset = context.dataset().ok_or(Status::NoDataset)?;
            search(&*dataset, &header, start_nonce, count, &target, stop)
        };
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

/// Generates the dataset file of a context; see the header.
///
/// # Safety
/// `directory` is null or points to `directory_bytes` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_write(
    handle: u32,
    directory: *const u8,
    directory_bytes: usize,
    threads: u32,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let directory = path_of(unsafe { input(directory, directory_bytes, PATH_BYTES_MAX) }?)?;
        let lease = registry::lease(handle)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 {
            cores
        } else {
            threads as usize
        };
        let context = &lease.context;
        dataset::write(&context.cache, &context.shape, directory, threads, &|| {
            lease.is_closed()
        })?;
        Ok(Status::Ok)
    })
}

/// Writes the sparse dummy of an epoch's dataset file; see the header.
///
/// # Safety
/// `directory` is null or points to `directory_bytes` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_write_dummy(
    size_epoch: u32,
    seed_rounds: u32,
    directory: *const u8,
    directory_bytes: usize,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let directory = path_of(unsafe { input(directory, directory_bytes, PATH_BYTES_MAX) }?)?;
        dataset::write_dummy(&Shape::of_epoch(size_epoch, seed_rounds)?, directory)?;
        Ok(Status::Ok)
    })
}

/// Maps a dataset file and attaches it to the context; see the header.
///
/// # Safety
/// `path` is null or points to `path_bytes` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_attach(
    handle: u32,
    path: *const u8,
    path_bytes: usize,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let path = path_of(unsafe { input(path, path_bytes, PATH_BYTES_MAX) }?)?;
        registry::lease(handle)?.context.attach(path)?;
        Ok(Status::Ok)
    })
}
