//! Dataset items from the light cache, many independent chains at a time.
//!
//! One item is 256 dependent reads of random cache lines: a lone chain waits for memory all the
//! time. Chains do not depend on each other, so the loop goes step by step over all of them, and
//! asks for each chain's next line a whole sweep before it is used. With 128 chains in flight the
//! memory's parallelism is used up, which is the limit of the machine.
//!
//! ```text
//! row  = keccak512(cache[n % items] with word 0 ^ n)
//! for j in 0..256: row = fnv(row, cache[fnv(n ^ j, row[j % 16]) % items])
//! item = keccak512(row)
//! ```

use crate::cache::Cache;
use crate::mem::prefetch;
use crate::row::{Row, fnv};

/// Cache items that one dataset item mixes.
const PARENTS: u32 = 256;

/// The most chains of one sweep: the knee of throughput; more would only cost stack.
pub(crate) const CHAINS_MAX: usize = 128;

/// Computes the 64-byte dataset items `numbers[i]` into `rows[i]`; at most `CHAINS_MAX` of them.
///
/// `hash` replaces every row by its keccak-512; a tier brings its own.
#[inline(always)]
pub(crate) fn compute(cache: &Cache, numbers: &[u32], rows: &mut [Row], hash: impl Fn(&mut [Row])) {
    assert!(numbers.len() == rows.len() && rows.len() <= CHAINS_MAX);
    let lines = cache.rows();
    let modulus = cache.modulus();
    let mut next = [0u32; CHAINS_MAX];
    let next = &mut next[..numbers.len()];

    for (index, &number) in next.iter_mut().zip(numbers) {
        *index = modulus.remainder(number);
        prefetch(&lines[*index as usize]);
    }
    for ((index, row), &number) in next.iter_mut().zip(rows.iter_mut()).zip(numbers) {
        *row = lines[*index as usize];
        row.0[0] ^= number;
    }
    hash(rows);
    for ((index, row), &number) in next.iter_mut().zip(rows.iter()).zip(numbers) {
        *index = modulus.remainder(fnv(number, row.0[0]));
        prefetch(&lines[*index as usize]);
    }
    for j in 1..PARENTS {
        let word = (j % 16) as usize;
        for ((index, row), &number) in next.iter_mut().zip(rows.iter_mut()).zip(numbers) {
            let line = &lines[*index as usize];
            // The word that names the next line goes ahead of the other fifteen.
            let mixed = fnv(row.0[word], line.0[word]);
            *index = modulus.remainder(fnv(number ^ j, mixed));
            prefetch(&lines[*index as usize]);
            row.mix(line);
        }
    }
    for (index, row) in next.iter().zip(rows.iter_mut()) {
        row.mix(&lines[*index as usize]);
    }
    hash(rows);
}

/// Keccak-512 of row after row.
#[inline(always)]
pub(crate) fn hash_rows(rows: &mut [Row]) {
    for row in rows {
        row.keccak512();
    }
}
