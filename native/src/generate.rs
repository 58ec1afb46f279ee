//! Generation of a dataset by many threads of low priority, with progress and an end on demand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::cache::Cache;
use crate::items::CHAINS_MAX;
use crate::mem::Rows;
use crate::row::Row;
use crate::status::Status;
use crate::system::{available_memory_bytes, lower_priority};
use crate::tier::Tier;

/// Rows that a thread takes at a time: 512 KiB, some milliseconds.
pub(crate) const PART_ROWS: usize = 8192;

/// The most threads of one generation.
pub const THREADS_MAX: usize = 256;

/// What is being done about a context's dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Nothing.
    Idle = 0,
    /// Another process or thread is at it.
    Waiting = 1,
    /// A file is compared with its checksums.
    Checking = 2,
    /// Items are computed.
    Generating = 3,
}

/// How far the work is; read by others while it goes on.
#[derive(Default)]
pub struct Progress {
    phase: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Phase, rows done and rows to do.
    pub fn read(&self) -> (u32, u64, u64) {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (
            self.phase.load(Ordering::Relaxed),
            load(&self.done),
            load(&self.total),
        )
    }

    pub(crate) fn enter(&self, phase: Phase, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.phase.store(phase as u32, Ordering::Relaxed);
    }
}

/// How a piece of work is to be done.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Threads, at least one.
    pub threads: usize,
    /// Asked again and again: true ends the work with [`Status::Closed`].
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Where to say how far it is.
    pub progress: &'a Progress,
}

impl Job<'_> {
    /// Does part after part on all threads until none is left; the first error ends it.
    pub(crate) fn run(
        &self,
        phase: Phase,
        rows: u64,
        work: impl Fn(usize) -> Result<(), Status> + Sync,
    ) -> Result<(), Status> {
        self.progress.enter(phase, rows);
        let parts = rows.div_ceil(PART_ROWS as u64);
        let next = AtomicU64::new(0);
        let failed = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let attempt = || -> Result<(), Status> {
            while !failed.load(Ordering::Relaxed) {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return Ok(());
                }
                if (self.stop)() {
                    return Err(Status::Closed);
                }
                work(part as usize)?;
                let done = (PART_ROWS as u64).min(rows - part * PART_ROWS as u64);
                self.progress.done.fetch_add(done, Ordering::Relaxed);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, THREADS_MAX) {
                scope.spawn(|| {
                    lower_priority();
                    if let Err(status) = attempt() {
                        failed.store(true, Ordering::Relaxed);
                        *failure.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(status);
                    }
                });
            }
        });
        let failure = failure
            .into_inner()
            .unwrap_or_else(|poison| poison.into_inner());
        failure.map_or(Ok(()), Err)
    }
}

/// Computes the dataset's rows from `first` on.
pub(crate) fn fill_rows(tier: Tier, cache: &Cache, first: u64, rows: &mut [Row]) {
    let mut numbers = [0; CHAINS_MAX];
    for (i, rows) in rows.chunks_mut(CHAINS_MAX).enumerate() {
        let start = first + (i * CHAINS_MAX) as u64;
        for (j, number) in numbers[..rows.len()].iter_mut().enumerate() {
            // Fits: the epoch's bound keeps 64-byte item numbers below 2^32.
            *number = (start + j as u64) as u32;
        }
        tier.compute_items(cache, &numbers[..rows.len()], rows);
    }
}

/// A whole dataset in memory.
pub(crate) fn in_memory(
    tier: Tier,
    cache: &Cache,
    row_count: u64,
    job: &Job<'_>,
) -> Result<Rows, Status> {
    let bytes = row_count * size_of::<Row>() as u64;
    // The system hands out more than it has and kills somebody later; so it is asked first.
    if available_memory_bytes().is_some_and(|available| available < bytes + bytes / 16) {
        return Err(Status::OutOfMemory);
    }
    let count = usize::try_from(row_count).map_err(|_| Status::OutOfMemory)?;
    let mut rows = Rows::zeroed(count).ok_or(Status::OutOfMemory)?;
    let parts: Vec<Mutex<&mut [Row]>> = rows.chunks_mut(PART_ROWS).map(Mutex::new).collect();
    job.run(Phase::Generating, row_count, |part| {
        let mut rows = parts[part]
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        fill_rows(tier, cache, (part * PART_ROWS) as u64, &mut rows);
        Ok(())
    })?;
    drop(parts);
    Ok(rows)
}
