//! The C ABI's second half: full datasets.
#![allow(unsafe_code)]

use crate::algorithm::Algorithm;
use crate::dataset::Place;
use crate::dataset_file;
use crate::epoch::{MAX_SEED_ROUNDS, Shape};
use crate::generate::Job;
use crate::pointers::{guard, input, output_value, path_of};
use crate::registry::{self, Lease};
use crate::status::Status;

/// Longest path (bytes).
pub const PATH_BYTES_MAX: usize = 4096;

/// How far a context's dataset is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DatasetProgress {
    /// A `QUARRY_PHASE_` number.
    pub phase: u32,
    /// 1 when a dataset is attached, else 0.
    pub attached: u32,
    /// 64-byte rows done in this phase.
    pub done: u64,
    /// 64-byte rows of this phase.
    pub total: u64,
}

const _: () = assert!(size_of::<DatasetProgress>() == 24);

/// The number of threads that a caller means: zero is one per core.
fn thread_count(threads: u32) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        some => some as usize,
    }
}

fn with_job(
    lease: &Lease,
    threads: u32,
    work: impl FnOnce(&Job<'_>) -> Result<(), Status>,
) -> Result<Status, Status> {
    let job = Job {
        threads: thread_count(threads),
        stop: &|| lease.is_closed(),
        progress: &lease.context.progress,
    };
    work(&job).map(|()| Status::Ok)
}

/// Attaches the whole dataset of a context, generated unless it is there; see the header.
///
/// # Safety
/// `directory` is null or points to `directory_bytes` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_prepare(
    handle: u32,
    directory: *const u8,
    directory_bytes: usize,
    threads: u32,
) -> i32 {
    guard(|| {
        let place = if directory.is_null() && directory_bytes == 0 {
            Place::Memory
        } else {
            // SAFETY: as promised by the caller.
            let bytes = unsafe { input(directory, directory_bytes, PATH_BYTES_MAX) }?;
            Place::Directory(path_of(bytes)?)
        };
        let lease = registry::lease(handle)?;
        with_job(&lease, threads, |job| lease.context.prepare(place, job))
    })
}

/// Tells how far a context's dataset is; see the header.
///
/// # Safety
/// `out` is null or points to writable memory of the struct's size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_progress(
    handle: u32,
    out: *mut DatasetProgress,
) -> i32 {
    guard(|| {
        let Lease { context, .. } = registry::lease(handle)?;
        let (phase, done, total) = context.progress.read();
        let attached = u32::from(context.has_dataset());
        let progress = DatasetProgress {
            phase,
            attached,
            done,
            total,
        };
        // SAFETY: as promised by the caller.
        unsafe { output_value(out, progress) }?;
        Ok(Status::Ok)
    })
}

/// Lets go of a context's dataset; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_dataset_detach(handle: u32) -> i32 {
    guard(|| {
        registry::lease(handle)?.context.detach();
        Ok(Status::Ok)
    })
}

/// Removes old dataset files; see the header.
///
/// # Safety
/// `directory` is null or points to `directory_bytes` readable bytes, `out_removed` is null or
/// points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_prune(
    directory: *const u8,
    directory_bytes: usize,
    seed_rounds: u32,
    out_removed: *mut u32,
) -> i32 {
    guard(|| {
        if out_removed.is_null() {
            return Err(Status::NullPointer);
        }
        if seed_rounds > MAX_SEED_ROUNDS {
            return Err(Status::InvalidEpoch);
        }
        // SAFETY: as promised by the caller.
        let directory = path_of(unsafe { input(directory, directory_bytes, PATH_BYTES_MAX) }?)?;
        let removed = dataset_file::prune(directory, seed_rounds)?;
        // SAFETY: as promised by the caller.
        unsafe { output_value(out_removed, removed) }?;
        Ok(Status::Ok)
    })
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
        with_job(&lease, threads, |job| {
            lease.context.write_dataset(directory, job)
        })
    })
}

/// Writes the sparse dummy of an epoch's dataset file; see the header.
///
/// # Safety
/// `directory` is null or points to `directory_bytes` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_dataset_write_dummy(
    algorithm: u32,
    size_epoch: u32,
    seed_rounds: u32,
    directory: *const u8,
    directory_bytes: usize,
) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        let directory = path_of(unsafe { input(directory, directory_bytes, PATH_BYTES_MAX) }?)?;
        let shape = Shape::of_epoch(Algorithm::of_code(algorithm)?, size_epoch, seed_rounds)?;
        if shape.dataset_items == 0 {
            return Err(Status::Unsupported);
        }
        dataset_file::write_dummy(&shape, directory)?;
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
