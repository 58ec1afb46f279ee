//! The full dataset, in memory or as a mapped file, and how it comes to be there.

use std::path::{Path, PathBuf};

use crate::cache::Cache;
use crate::dataset_file::{self, MAGIC};
use crate::epoch::{DATASET_ITEM_BYTES, Shape};
use crate::generate::{self, Job};
use crate::hashimoto::{Mix, Output, Pages, Request, hash_full};
use crate::mem::{FileMap, Rows, prefetch};
use crate::row::{FastMod, Row};
use crate::status::Status;
use crate::tier::Tier;

/// Pages that are recomputed when a file is opened.
const PAGES_CHECKED: u32 = 64;

/// Where a dataset is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// In this process's memory.
    Memory,
    /// In a file of this directory, shared by all processes that use it.
    Directory(&'a Path),
}

/// A whole dataset.
pub struct Dataset {
    storage: Storage,
    modulus: FastMod,
}

enum Storage {
    Memory(Rows),
    File(FileMap),
}

impl Dataset {
    /// The dataset of a context at its place, generated unless it is there whole.
    pub fn prepare(
        tier: Tier,
        shape: &Shape,
        cache: &Cache,
        place: Place<'_>,
        job: &Job<'_>,
    ) -> Result<Dataset, Status> {
        match place {
            Place::Memory => {
                let rows = generate::in_memory(tier, cache, shape.dataset_rows(), job)?;
                Ok(Dataset::new(shape, Storage::Memory(rows)))
            }
            Place::Directory(directory) => {
                let whole = |path: &Path| {
                    let dataset = Dataset::open(path, shape, cache, tier)?;
                    let Storage::File(map) = &dataset.storage else {
                        return Err(Status::InvalidDataset);
                    };
                    dataset_file::check_sums(path, shape, &map[MAGIC.len()..], job)?;
                    Ok(dataset)
                };
                let _lock = dataset_file::lock(shape, directory, job)?;
                let path = directory.join(dataset_file::file_name(shape));
                match whole(&path) {
                    Err(Status::Io | Status::InvalidDataset) => {}
                    decided => return decided,
                }
                dataset_file::write_locked(tier, cache, shape, directory, job)?;
                Dataset::open(&path, shape, cache, tier)
            }
        }
    }

    /// Maps a file after checking its size, its magic and a spread of pages against the cache.
    pub fn open(path: &Path, shape: &Shape, cache: &Cache, tier: Tier) -> Result<Dataset, Status> {
        let map = dataset_file::map(path, shape)?;
        let dataset = Dataset::new(shape, Storage::File(map));
        if dataset.agrees(shape, cache, tier) {
            Ok(dataset)
        } else {
            Err(Status::InvalidDataset)
        }
    }

    /// Hashes requests over the dataset.
    pub fn hash(&self, tier: Tier, requests: &[Request], outputs: &mut [Output]) {
        let modulus = self.modulus;
        match &self.storage {
            Storage::Memory(rows) => {
                hash_full(tier, &MemoryPages { rows, modulus }, requests, outputs)
            }
            Storage::File(map) => hash_full(tier, &FilePages { map, modulus }, requests, outputs),
        }
    }

    fn new(shape: &Shape, storage: Storage) -> Dataset {
        let modulus = FastMod::new(shape.dataset_items);
        Dataset { storage, modulus }
    }

    fn page(&self, page: u32) -> Mix {
        let modulus = self.modulus;
        match &self.storage {
            Storage::Memory(rows) => MemoryPages { rows, modulus }.page(page),
            Storage::File(map) => FilePages { map, modulus }.page(page),
        }
    }

    /// Compares evenly spread pages, the first and the last included.
    fn agrees(&self, shape: &Shape, cache: &Cache, tier: Tier) -> bool {
        let last = u64::from(shape.dataset_items - 1);
        let steps = u64::from(PAGES_CHECKED - 1);
        (0..=steps).all(|step| {
            let page = (last * step / steps) as u32;
            let mut rows = [Row::ZERO; 2];
            tier.compute_items(cache, &[2 * page, 2 * page + 1], &mut rows);
            rows == self.page(page)
        })
    }
}

/// Writes the dataset file of a context into a directory, replacing an older one.
pub fn write(
    tier: Tier,
    cache: &Cache,
    shape: &Shape,
    directory: &Path,
    job: &Job<'_>,
) -> Result<PathBuf, Status> {
    let _lock = dataset_file::lock(shape, directory, job)?;
    dataset_file::write_locked(tier, cache, shape, directory, job)
}

struct MemoryPages<'a> {
    rows: &'a [Row],
    modulus: FastMod,
}

impl Pages for MemoryPages<'_> {
    #[inline(always)]
    fn modulus(&self) -> FastMod {
        self.modulus
    }

    #[inline(always)]
    fn prefetch(&self, page: u32) {
        let rows = &self.rows[2 * page as usize..][..2];
        prefetch(&rows[0]);
        prefetch(&rows[1]);
    }

    #[inline(always)]
    fn page(&self, page: u32) -> Mix {
        let rows = &self.rows[2 * page as usize..][..2];
        [rows[0], rows[1]]
    }
}

struct FilePages<'a> {
    map: &'a [u8],
    modulus: FastMod,
}

impl FilePages<'_> {
    #[inline(always)]
    fn bytes(&self, page: u32) -> &[u8; DATASET_ITEM_BYTES as usize] {
        let start = MAGIC.len() + page as usize * DATASET_ITEM_BYTES as usize;
        self.map[start..]
            .first_chunk()
            .expect("the size was checked when the file was opened")
    }
}

impl Pages for FilePages<'_> {
    #[inline(always)]
    fn modulus(&self) -> FastMod {
        self.modulus
    }

    #[inline(always)]
    fn prefetch(&self, page: u32) {
        // The magic shifts pages by 8 bytes, so that a page lies on three lines.
        let bytes = self.bytes(page);
        prefetch(&bytes[0]);
        prefetch(&bytes[64]);
        prefetch(&bytes[127]);
    }

    #[inline(always)]
    fn page(&self, page: u32) -> Mix {
        let (halves, _) = self.bytes(page).as_chunks::<64>();
        [Row::from_bytes(&halves[0]), Row::from_bytes(&halves[1])]
    }
}
