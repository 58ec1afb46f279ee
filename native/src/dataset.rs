//! The full dataset as a file that go-ethereum reads and writes too, and its use by mapping.
//!
//! The file is `full-R23-<first 8 bytes of the seed in hex>`: eight bytes of magic, then the pages.
//! It is written under another name and renamed when complete, so that a file of that name is
//! always whole.

use std::fs::{File, OpenOptions, create_dir_all, remove_file, rename};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::cache::Cache;
use crate::epoch::{DATASET_ITEM_BYTES, Shape, seed_hash};
use crate::hashimoto::Pages;
use crate::items::CHAINS_MAX;
use crate::mem::{FileMap, prefetch};
use crate::row::{FastMod, Row};
use crate::status::Status;
use crate::tier::Tier;

/// go-ethereum's dump magic (0xbaddcafe, 0xfee1dead), little-endian.
const MAGIC: [u8; 8] = [0xfe, 0xca, 0xdd, 0xba, 0xad, 0xde, 0xe1, 0xfe];

/// Version of the file format in the name (revision 23 of the Ethash specification).
const REVISION: u32 = 23;

/// 64-byte items that a thread computes between two writes: 512 KiB.
const ITEMS_PER_WRITE: usize = 8192;

/// 64-byte items that are recomputed when a file is opened.
const ITEMS_CHECKED: u32 = 128;

/// The most threads of one generation.
pub const THREADS_MAX: usize = 256;

static TEMPORARY_FILES: AtomicU32 = AtomicU32::new(0);

impl From<io::Error> for Status {
    fn from(error: io::Error) -> Status {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Status::OutOfMemory,
            _ => Status::Io,
        }
    }
}

/// Name of the dataset file of a seed, as go-ethereum looks for it.
pub fn file_name(seed_rounds: u32) -> String {
    let seed = seed_hash(seed_rounds);
    let hex: String = seed[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("full-R{REVISION}-{hex}")
}

/// Bytes of the dataset file of a shape.
pub fn file_bytes(shape: &Shape) -> u64 {
    MAGIC.len() as u64 + shape.dataset_bytes()
}

/// Generates the dataset with `threads` threads into `directory`, replacing an older file.
pub fn write(
    cache: &Cache,
    shape: &Shape,
    directory: &Path,
    threads: usize,
    stop: &(impl Fn() -> bool + Sync),
) -> Result<PathBuf, Status> {
    write_file(shape, directory, |file| {
        let next = AtomicU32::new(0);
        let failed = AtomicBool::new(false);
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, THREADS_MAX) {
                scope.spawn(|| {
                    let halt = || stop() || failed.load(Ordering::Relaxed);
                    if let Err(status) = write_parts(cache, shape, file, &next, &halt) {
                        failed.store(true, Ordering::Relaxed);
                        *failure.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(status);
                    }
                });
            }
        });
        match failure
            .into_inner()
            .unwrap_or_else(|poison| poison.into_inner())
        {
            Some(status) => Err(status),
            None if stop() => Err(Status::Closed),
            None => Ok(()),
        }
    })
}

/// Writes a sparse file of the right size and magic without any content.
///
/// A node that finds it does not start to generate that epoch's dataset; it must never mine or
/// verify with it, and [`Dataset::open`] refuses it.
pub fn write_dummy(shape: &Shape, directory: &Path) -> Result<PathBuf, Status> {
    write_file(shape, directory, |_| Ok(()))
}

fn write_file(
    shape: &Shape,
    directory: &Path,
    fill: impl FnOnce(&File) -> Result<(), Status>,
) -> Result<PathBuf, Status> {
    create_dir_all(directory)?;
    let name = file_name(shape.seed_rounds);
    let serial = TEMPORARY_FILES.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("{name}.{}-{serial}.tmp", std::process::id()));
    let finished = directory.join(name);
    let attempt = || -> Result<(), Status> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        file.write_all(&MAGIC)?;
        file.set_len(file_bytes(shape))?;
        fill(&file)?;
        file.sync_all()?;
        rename(&temporary, &finished)?;
        Ok(())
    };
    attempt().inspect_err(|_| {
        // Nothing more can be done about a temporary file that does not go away.
        let _ = remove_file(&temporary);
    })?;
    Ok(finished)
}

/// Takes parts off the counter until none is left.
fn write_parts(
    cache: &Cache,
    shape: &Shape,
    file: &File,
    next: &AtomicU32,
    stop: &impl Fn() -> bool,
) -> Result<(), Status> {
    let tier = Tier::detect();
    let items = 2 * u64::from(shape.dataset_items);
    let mut bytes = Vec::with_capacity(ITEMS_PER_WRITE * 64);
    let mut numbers = [0; CHAINS_MAX];
    let mut rows = [Row::ZERO; CHAINS_MAX];
    while !stop() {
        let part = u64::from(next.fetch_add(1, Ordering::Relaxed));
        let first = part * ITEMS_PER_WRITE as u64;
        if first >= items {
            return Ok(());
        }
        let end = items.min(first + ITEMS_PER_WRITE as u64);
        bytes.clear();
        for start in (first..end).step_by(CHAINS_MAX) {
            let count = CHAINS_MAX.min((end - start) as usize);
            for (i, number) in numbers[..count].iter_mut().enumerate() {
                // Fits: the epoch's bound keeps 64-byte item numbers below 2^32.
                *number = (start + i as u64) as u32;
            }
            tier.compute_items(cache, &numbers[..count], &mut rows[..count]);
            for row in &rows[..count] {
                bytes.extend_from_slice(&row.to_bytes());
            }
        }
        file.write_all_at(&bytes, MAGIC.len() as u64 + first * 64)?;
    }
    Ok(())
}

/// A mapped dataset file.
pub struct Dataset {
    map: FileMap,
    modulus: FastMod,
}

impl Dataset {
    /// Maps a file after checking its size, its magic and a spread of items against the cache.
    pub fn open(path: &Path, shape: &Shape, cache: &Cache) -> Result<Dataset, Status> {
        let file = File::open(path)?;
        if file.metadata()?.len() != file_bytes(shape) {
            return Err(Status::InvalidDataset);
        }
        let dataset = Dataset {
            map: FileMap::open(&file)?,
            modulus: FastMod::new(shape.dataset_items),
        };
        if dataset.map[..MAGIC.len()] != MAGIC || !dataset.agrees(shape, cache) {
            return Err(Status::InvalidDataset);
        }
        Ok(dataset)
    }

    /// Compares evenly spread pages, the first and the last included.
    fn agrees(&self, shape: &Shape, cache: &Cache) -> bool {
        let last = u64::from(shape.dataset_items - 1);
        let steps = u64::from(ITEMS_CHECKED / 2 - 1);
        (0..=steps).all(|step| {
            let page = (last * step / steps) as u32;
            let mut rows = [Row::ZERO; 2];
            Tier::detect().compute_items(cache, &[2 * page, 2 * page + 1], &mut rows);
            rows == self.page(page)
        })
    }

    #[inline(always)]
    fn bytes_of(&self, page: u32) -> &[u8; DATASET_ITEM_BYTES as usize] {
        let start = MAGIC.len() + page as usize * DATASET_ITEM_BYTES as usize;
        self.map[start..]
            .first_chunk()
            .expect("the size was checked when the file was opened")
    }

    #[inline(always)]
    fn page(&self, page: u32) -> [Row; 2] {
        let (halves, _) = self.bytes_of(page).as_chunks::<64>();
        [Row::from_bytes(&halves[0]), Row::from_bytes(&halves[1])]
    }
}

impl Pages for Dataset {
    #[inline(always)]
    fn modulus(&self) -> FastMod {
        self.modulus
    }

    #[inline(always)]
    fn load(&self, pages: &[u32], rows: &mut [Row]) {
        // The magic shifts pages by 8 bytes, so that a page lies on three cache lines.
        for &page in pages {
            let bytes = self.bytes_of(page);
            prefetch(&bytes[0]);
            prefetch(&bytes[64]);
            prefetch(&bytes[127]);
        }
        for (pair, &page) in rows.chunks_exact_mut(2).zip(pages) {
            pair.copy_from_slice(&self.page(page));
        }
    }
}
