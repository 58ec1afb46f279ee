//! Dataset files: go-ethereum's format, with checksums and locks beside it.
//!
//! `full-R23-<first 8 bytes of the seed in hex>` is eight bytes of magic, then the pages. Beside it
//! lie `<name>.sums`, a checksum for every 512 KiB, and `<name>.lock`, which a process holds while it
//! checks or writes. A file is written as `<name>.part` and renamed when it is complete, never
//! written to or cut afterwards. Who maps a file holds a shared lock on it, so that nobody removes a
//! file that is in use.

use std::fs::{File, OpenOptions, TryLockError, create_dir_all, read_dir, remove_file, rename};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::algorithm::{ALGORITHMS, Algorithm, Kind};
use crate::cache::Cache;
use crate::epoch::{Shape, seed_hash};
use crate::generate::{Job, PART_ROWS, Phase, fill_rows};
use crate::keccak::keccak256_32;
use crate::mem::FileMap;
use crate::row::Row;
use crate::status::Status;
use crate::tier::Tier;

/// go-ethereum's dump magic (0xbaddcafe, 0xfee1dead), little-endian.
pub(crate) const MAGIC: [u8; 8] = [0xfe, 0xca, 0xdd, 0xba, 0xad, 0xde, 0xe1, 0xfe];

/// Version of the file format in the name (revision 23 of the Ethash specification).
const REVISION: u32 = 23;

/// First bytes of a file of checksums.
const SUMS_MAGIC: [u8; 8] = *b"quarryD1";

/// Between two looks at a lock that another process holds.
const LOCK_POLL: Duration = Duration::from_millis(100);

impl From<io::Error> for Status {
    fn from(error: io::Error) -> Status {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Status::OutOfMemory,
            _ => Status::Io,
        }
    }
}

/// Name of the dataset file of a shape; go-ethereum's for Ethash.
pub fn file_name(shape: &Shape) -> String {
    name_of(&seed_hash(shape.seed_rounds), shape.algorithm)
}

fn name_of(seed: &[u8; 32], algorithm: &Algorithm) -> String {
    let hex: String = seed[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("full-R{REVISION}-{hex}{}", algorithm.file_suffix)
}

/// Bytes of the dataset file of a shape.
pub fn file_bytes(shape: &Shape) -> u64 {
    MAGIC.len() as u64 + shape.dataset_bytes()
}

/// Takes the lock of a dataset file; waits while another process or thread holds it.
pub(crate) fn lock(shape: &Shape, directory: &Path, job: &Job<'_>) -> Result<File, Status> {
    create_dir_all(directory)?;
    let path = directory.join(file_name(shape));
    loop {
        if let Some(lock) = try_lock(&path)? {
            return Ok(lock);
        }
        job.progress.enter(Phase::Waiting, 0);
        if (job.stop)() {
            return Err(Status::Closed);
        }
        std::thread::sleep(LOCK_POLL);
    }
}

/// The lock of a dataset file, unless somebody holds it or has just removed it.
fn try_lock(dataset: &Path) -> Result<Option<File>, Status> {
    let path = beside(dataset, ".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // Whoever held it before may have removed it: another one would not see this lock then.
    let here = std::fs::metadata(&path).is_ok_and(|there| {
        file.metadata()
            .is_ok_and(|ours| (ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    });
    Ok(here.then_some(file))
}

/// Generates the file of a shape; the caller holds its lock.
pub(crate) fn write_locked(
    tier: Tier,
    cache: &Cache,
    shape: &Shape,
    directory: &Path,
    job: &Job<'_>,
) -> Result<PathBuf, Status> {
    let rows = shape.dataset_rows();
    write_file(shape, directory, |file, path| {
        let sums: Vec<AtomicU64> = (0..part_count(shape)).map(|_| AtomicU64::new(0)).collect();
        job.run(Phase::Generating, rows, |part| {
            let first = (part * PART_ROWS) as u64;
            let mut part_rows = vec![Row::ZERO; (rows - first).min(PART_ROWS as u64) as usize];
            fill_rows(tier, cache, first, &mut part_rows);
            sums[part].store(checksum(part_rows.iter().copied()), Ordering::Relaxed);
            let bytes: Vec<u8> = part_rows.iter().flat_map(|row| row.to_bytes()).collect();
            file.write_all_at(&bytes, MAGIC.len() as u64 + first * 64)?;
            Ok(())
        })?;
        let sums: Vec<u64> = sums.into_iter().map(AtomicU64::into_inner).collect();
        let (sums_part, sums_path) = (beside(path, ".sums.part"), beside(path, ".sums"));
        let mut file = File::create(&sums_part)?;
        file.write_all(&sums_bytes(shape, &sums))?;
        file.sync_all()?;
        rename(sums_part, sums_path)?;
        Ok(())
    })
}

/// Writes a sparse file of the right size and magic without any content.
///
/// A node that finds it does not start to generate that epoch's dataset; it must never mine or
/// verify with it, and opening it is refused.
pub fn write_dummy(shape: &Shape, directory: &Path) -> Result<PathBuf, Status> {
    create_dir_all(directory)?;
    write_file(shape, directory, |_, _| Ok(()))
}

fn write_file(
    shape: &Shape,
    directory: &Path,
    fill: impl FnOnce(&File, &Path) -> Result<(), Status>,
) -> Result<PathBuf, Status> {
    let finished = directory.join(file_name(shape));
    let temporary = beside(&finished, ".part");
    let attempt = || -> Result<(), Status> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        file.write_all(&MAGIC)?;
        file.set_len(file_bytes(shape))?;
        fill(&file, &finished)?;
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

/// Maps a file of the right size and magic, locked as in use.
pub(crate) fn map(path: &Path, shape: &Shape) -> Result<FileMap, Status> {
    let file = File::open(path)?;
    // Held until the map goes. Where locks are not supported the file is used without.
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        return Err(Status::InvalidDataset);
    }
    if file.metadata()?.len() != file_bytes(shape) {
        return Err(Status::InvalidDataset);
    }
    let map = FileMap::open(file)?;
    if map[..MAGIC.len()] == MAGIC {
        Ok(map)
    } else {
        Err(Status::InvalidDataset)
    }
}

/// Compares the pages of a mapped file with its checksums.
pub(crate) fn check_sums(
    path: &Path,
    shape: &Shape,
    pages: &[u8],
    job: &Job<'_>,
) -> Result<(), Status> {
    let written = std::fs::read(beside(path, ".sums"))?;
    job.run(Phase::Checking, shape.dataset_rows(), |part| {
        let start = part * PART_ROWS * 64;
        let end = pages.len().min(start + PART_ROWS * 64);
        let (rows, _) = pages[start..end].as_chunks::<64>();
        let sum = checksum(rows.iter().map(Row::from_bytes)).to_le_bytes();
        let place = SUMS_HEADER_BYTES + 8 * part;
        if written.get(place..place + 8) == Some(&sum) {
            Ok(())
        } else {
            Err(Status::InvalidDataset)
        }
    })?;
    let header = &sums_bytes(shape, &[])[..SUMS_HEADER_BYTES];
    if written.len() == SUMS_HEADER_BYTES + 8 * part_count(shape) && written.starts_with(header) {
        Ok(())
    } else {
        Err(Status::InvalidDataset)
    }
}

/// Removes the files of `directory` that belong to seeds of fewer than `rounds` rounds, that have
/// checksums (others are not ours) and that nobody uses; returns how many.
pub fn prune(directory: &Path, rounds: u32) -> Result<u32, Status> {
    let mut names = Vec::new();
    for entry in read_dir(directory)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.retain(|name| name.ends_with(".sums"));
    let mut removed = 0;
    let mut seed = [0; 32];
    for _ in 0..rounds {
        for algorithm in ALGORITHMS
            .iter()
            .filter(|row| matches!(row.kind, Kind::Hashimoto(_)))
        {
            let name = name_of(&seed, algorithm);
            if names.contains(&format!("{name}.sums")) && remove_unused(&directory.join(name))? {
                removed += 1;
            }
        }
        seed = keccak256_32(&seed);
    }
    Ok(removed)
}

fn remove_unused(path: &Path) -> Result<bool, Status> {
    // Nobody prepares the file meanwhile.
    let Some(_lock) = try_lock(path)? else {
        return Ok(false);
    };
    match File::open(path) {
        Ok(file) => {
            if file.try_lock().is_err() {
                return Ok(false);
            }
            remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    remove_file(beside(path, ".sums"))?;
    remove_file(beside(path, ".lock"))?;
    Ok(true)
}

const SUMS_HEADER_BYTES: usize = 24;

/// Magic, algorithm, seed rounds, pages and rows per checksum, then the checksums.
fn sums_bytes(shape: &Shape, sums: &[u64]) -> Vec<u8> {
    let numbers = [
        shape.algorithm.code,
        shape.seed_rounds,
        shape.dataset_items,
        PART_ROWS as u32,
    ];
    let mut bytes = SUMS_MAGIC.to_vec();
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes.extend(sums.iter().flat_map(|sum| sum.to_le_bytes()));
    bytes
}

fn part_count(shape: &Shape) -> usize {
    shape.dataset_rows().div_ceil(PART_ROWS as u64) as usize
}

/// A checksum against damage, not against malice: eight independent chains, faster than memory.
fn checksum(rows: impl Iterator<Item = Row>) -> u64 {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(PRIME).rotate_left(29);
    let mut sums = [PRIME; 8];
    for row in rows {
        for (sum, word) in sums.iter_mut().zip(row.lanes()) {
            *sum = step(*sum, word);
        }
    }
    sums.into_iter().fold(0, step)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
