//! The light cache of an epoch: built once, read by many threads, freed with its last user.

use crate::algorithm::Kind;
use crate::epoch::{Shape, seed_hash};
use crate::keccak::Lane;
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
    pub fn build(shape: &Shape, tier: Tier) -> Result<Cache, Status> {
        let Kind::Hashimoto(fill) = shape.algorithm.kind else {
            return Err(Status::Unsupported);
        };
        let mut rows = Rows::zeroed(shape.cache_items as usize).ok_or(Status::OutOfMemory)?;
        let modulus = FastMod::new(shape.cache_items);
        fill(tier, &mut rows, &modulus, &seed_hash(shape.seed_rounds));
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

/// mkcache of the specification: a chain of hashes, then three rounds of RandMemoHash.
///
/// `first` is the hash of the seed, `hash` the 64-byte hash of the algorithm. The lanes stay in the
/// registers that it works in from one hash to the next.
#[inline(always)]
pub(crate) fn fill<L: Lane>(
    rows: &mut [Row],
    modulus: &FastMod,
    first: [u64; 8],
    hash: impl Fn(&[L; 8]) -> [L; 8],
) {
    let row_of = |lanes: &[L; 8]| Row::from_lanes(&lanes.map(|lane| lane.scatter()[0]));
    let mut lanes = first.map(L::splat);
    for row in rows.iter_mut() {
        *row = row_of(&lanes);
        lanes = hash(&lanes);
    }
    let count = rows.len();
    for _ in 0..CACHE_ROUNDS {
        let mut previous = rows[count - 1].lanes().map(L::splat);
        for i in 0..count {
            // An item's partner is known from its own old word, so it can be fetched ahead.
            if let Some(ahead) = rows.get(i + 2) {
                prefetch(&rows[modulus.remainder(ahead.0[0]) as usize]);
            }
            let partner = rows[modulus.remainder(rows[i].0[0]) as usize].lanes();
            for (lane, other) in previous.iter_mut().zip(partner) {
                *lane = lane.xor(L::splat(other));
            }
            previous = hash(&previous);
            rows[i] = row_of(&previous);
        }
    }
}
