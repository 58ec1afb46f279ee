//! Frkhash (Expanse from height 8,500,000): two keccaks, no dataset, no epochs.
//!
//! ```text
//! s      = keccak512(header || nonce, little-endian)
//! mix    = the last 32 bytes of s
//! result = keccak256(s)
//! ```

use crate::algorithm::{Algorithm, Kind};
use crate::hashimoto::{Output, PASS_MAX, Request, seeds_of};
use crate::keccak::{KECCAK256_RATE, lanes_to_bytes};
use crate::tier::Tier;

/// The row of Frkhash.
pub const ALGORITHM: Algorithm = Algorithm {
    code: 2,
    name: "frkhash",
    file_suffix: "",
    kind: Kind::Direct(hash_batch),
};

fn hash_batch(tier: Tier, requests: &[Request], outputs: &mut [Output]) {
    for (requests, outputs) in requests.chunks(PASS_MAX).zip(outputs.chunks_mut(PASS_MAX)) {
        let mut seeds = [[0; 8]; PASS_MAX];
        let seeds = &mut seeds[..requests.len()];
        seeds_of(tier, requests, seeds);
        let mut results = [[0; 4]; PASS_MAX];
        tier.keccak(KECCAK256_RATE, seeds, &mut results[..seeds.len()]);
        for ((output, seed), result) in outputs.iter_mut().zip(seeds).zip(&results) {
            let (_, mix) = seed.split_last_chunk::<4>().expect("eight lanes");
            output.mix = lanes_to_bytes(mix);
            output.result = lanes_to_bytes(result);
        }
    }
}
