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
use crate::row::{FastMod, Row, fnv};

/// Cache items that one dataset item mixes.
const PARENTS: u32 = 256;

/// The most chains of one sweep: the knee of throughput; more would only cost stack.
pub(crate) const CHAINS_MAX: usize = 128;

/// Computes the 64-byte dataset items `numbers[i]` into `rows[i]`; at most `CHAINS_MAX` of them.
///
/// `hash` replaces every row by its keccak-512 and `mix` mixes a line into one; a tier brings its own.
#[inline(always)]
pub(crate) fn compute(
    cache: &Cache,
    numbers: &[u32],
    rows: &mut [Row],
    hash: impl Fn(&mut [Row]),
    mix: impl Fn(&mut Row, &Row),
) {
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
    let mut words = [0u32; CHAINS_MAX];
    let words = &mut words[..numbers.len()];
    for (word, row) in words.iter_mut().zip(rows.iter()) {
        *word = row.0[1];
    }
    let mut sweep = Sweep {
        lines,
        modulus,
        numbers,
        next,
        words,
        rows,
    };
    for j in 1..PARENTS {
        sweep.step(j, &mix);
    }
    let Sweep { next, rows, .. } = sweep;
    for (index, row) in next.iter().zip(rows.iter_mut()) {
        mix(row, &lines[*index as usize]);
    }
    hash(rows);
}

/// All chains between two steps.
struct Sweep<'a> {
    lines: &'a [Row],
    modulus: FastMod,
    numbers: &'a [u32],
    /// The line that each chain mixes next.
    next: &'a mut [u32],
    /// Of each row the word that names the line after that; then all of its name but that line.
    words: &'a mut [u32],
    rows: &'a mut [Row],
}

impl Sweep<'_> {
    /// Mixes a line into every row and asks for the next one.
    #[inline(always)]
    fn step(&mut self, j: u32, mix: &impl Fn(&mut Row, &Row)) {
        // Each word has code of its own: to take a known word out of a vector costs least.
        match j % 16 {
            0 => self.step_by::<0>(j, mix),
            1 => self.step_by::<1>(j, mix),
            2 => self.step_by::<2>(j, mix),
            3 => self.step_by::<3>(j, mix),
            4 => self.step_by::<4>(j, mix),
            5 => self.step_by::<5>(j, mix),
            6 => self.step_by::<6>(j, mix),
            7 => self.step_by::<7>(j, mix),
            8 => self.step_by::<8>(j, mix),
            9 => self.step_by::<9>(j, mix),
            10 => self.step_by::<10>(j, mix),
            11 => self.step_by::<11>(j, mix),
            12 => self.step_by::<12>(j, mix),
            13 => self.step_by::<13>(j, mix),
            14 => self.step_by::<14>(j, mix),
            _ => self.step_by::<15>(j, mix),
        }
    }

    #[inline(always)]
    fn step_by<const WORD: usize>(&mut self, j: u32, mix: &impl Fn(&mut Row, &Row)) {
        // fnv(number ^ j, fnv(row, line)) is this number, exclusive-or the line's word: all but the
        // line is known before, and computed for many chains at once.
        for (word, &number) in self.words.iter_mut().zip(self.numbers) {
            *word = fnv(number ^ j, fnv(*word, 0));
        }
        for ((index, row), word) in (self.next.iter_mut())
            .zip(self.rows.iter_mut())
            .zip(self.words.iter_mut())
        {
            let line = &self.lines[*index as usize];
            *index = self.modulus.remainder(*word ^ line.0[WORD]);
            prefetch(&self.lines[*index as usize]);
            mix(row, line);
            *word = row.0[(WORD + 1) % 16];
        }
    }
}

/// Keccak-512 of row after row.
#[inline(always)]
pub(crate) fn hash_rows(rows: &mut [Row]) {
    for row in rows {
        row.keccak512();
    }
}
