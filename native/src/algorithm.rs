//! The table of algorithms: one file and one row for each.
//!
//! An algorithm is either Hashimoto over a dataset that grows from a light cache, and then says how
//! the cache is filled, or it hashes header and nonce alone. Which height uses which algorithm is a
//! network rule and stays outside; so Etchash, which is Ethash with other epochs, has no row.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::hashimoto::{self, Output, Request};
use crate::row::{FastMod, Row};
use crate::status::Status;
use crate::tier::Tier;
use crate::{ethash, frkhash, ubqhash};

/// Every algorithm that the library serves. A further one is a further file and a row here.
pub const ALGORITHMS: &[&Algorithm] =
    &[&ethash::ALGORITHM, &ubqhash::ALGORITHM, &frkhash::ALGORITHM];

/// One row of the table.
pub struct Algorithm {
    /// Its number in the C ABI, never used again for another one.
    pub code: u32,
    /// Its name; `QUARRY_ALGORITHM_<NAME>` in the header.
    pub name: &'static str,
    /// What is added to the name of its dataset files; nothing for those of go-ethereum.
    pub file_suffix: &'static str,
    /// How it hashes.
    pub kind: Kind,
}

/// The two families of algorithms.
pub enum Kind {
    /// Hashimoto; the function fills the rows of a light cache from its seed.
    Hashimoto(fn(Tier, &mut [Row], &FastMod, &[u8; 32])),
    /// No dataset and no epochs; the function hashes requests into as many outputs.
    Direct(fn(Tier, &[Request], &mut [Output])),
}

impl Algorithm {
    /// The row of a number.
    pub fn of_code(code: u32) -> Result<&'static Algorithm, Status> {
        let found = ALGORITHMS.iter().find(|algorithm| algorithm.code == code);
        found.copied().ok_or(Status::Unsupported)
    }

    /// Fills in the results that belong to claimed mix digests: two keccaks each.
    ///
    /// It filters junk cheaply and proves nothing: anyone can search for a digest that passes. An
    /// algorithm without a dataset knows the right digest, and gives the largest number to others.
    pub fn final_hashes(&self, tier: Tier, requests: &[Request], outputs: &mut [Output]) {
        let Kind::Direct(hash) = self.kind else {
            return hashimoto::final_hashes(tier, requests, outputs);
        };
        let claims: Vec<[u8; 32]> = outputs.iter().map(|output| output.mix).collect();
        hash(tier, requests, outputs);
        for (output, claim) in outputs.iter_mut().zip(claims) {
            if output.mix != claim {
                *output = Output {
                    mix: claim,
                    result: [0xff; 32],
                };
            }
        }
    }
}

impl PartialEq for Algorithm {
    fn eq(&self, other: &Algorithm) -> bool {
        self.code == other.code
    }
}

impl Eq for Algorithm {}

impl Hash for Algorithm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_used_once() {
        for (i, one) in ALGORITHMS.iter().enumerate() {
            assert_eq!(Algorithm::of_code(one.code), Ok(*one));
            for other in &ALGORITHMS[i + 1..] {
                assert!(one.code != other.code && one.name != other.name);
                assert!(
                    one.file_suffix != other.file_suffix || matches!(other.kind, Kind::Direct(_))
                );
            }
        }
        assert_eq!(Algorithm::of_code(77), Err(Status::Unsupported));
    }
}
