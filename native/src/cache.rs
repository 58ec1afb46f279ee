//! The light cache of an epoch: built once, read by many threads, freed with its last user.

use crate::epoch::{Shape, seed_hash};
use crate::keccak::{bytes_to_lanes, keccak512_lanes};
use crate::mem::{Rows, prefetch};
use crate::row::{FastMod, Row};
use crate::status::Status;
use crate::tier::Tier;

const CACHE_ROUNDS: usize = 3;

/// Light cache and the remainders by its item count.
pub struct Cache {
    rows: Rows,
    modulus: FastMod,
}

impl Cache {
    /// Builds the cache: about 0.25 s at epoch 0 and 1 s at epoch 390, on one core by its nature
    /// (every item hashes its predecessor).
    pub fn build(shape: &Shape) -> Result<Cache, Status> {
        let mut rows = Rows::zeroed(shape.cache_items as usize).ok_or(Status::OutOfMemory)?;
        let modulus = FastMod::new(shape.cache_items);
        Tier::detect().fill_cache(&mut rows, &modulus, &seed_hash(shape.seed_rounds));
        Ok(Cache { rows, modulus })
    }

    /// The cache's items.
    #[inline(always)]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Remainders by the item count.
    #[inline(always)]
    pub(crate) fn modulus(&self) -> FastMod {
        self.modulus
    }
}

/// mkcache of the specification: a chain of keccak-512, then three rounds of RandMemoHash.
#[inline(always)]
pub(crate) fn fill(rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
    let mut lanes = keccak512_lanes(&bytes_to_lanes::<4>(seed));
    for row in rows.iter_mut() {
        *row = Row::from_lanes(&lanes);
        lanes = keccak512_lanes(&lanes);
    }
    let count = rows.len();
    for _ in 0..CACHE_ROUNDS {
        let mut previous = rows[count - 1].lanes();
        for i in 0..count {
            // An item's partner is known from its own old word, so it can be fetched ahead.
            if let Some(ahead) = rows.get(i + 2) {
                prefetch(&rows[modulus.remainder(ahead.0[0]) as usize]);
            }
            let partner = rows[modulus.remainder(rows[i].0[0]) as usize].lanes();
            for (lane, other) in previous.iter_mut().zip(partner) {
                *lane ^= other;
            }
            previous = keccak512_lanes(&previous);
            rows[i] = Row::from_lanes(&previous);
        }
    }
}
