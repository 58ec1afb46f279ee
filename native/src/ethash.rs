//! Ethash, and Etchash with it: the light cache is a chain of keccak-512.

use crate::algorithm::{Algorithm, Kind};

/// The row of Ethash.
pub const ALGORITHM: Algorithm = Algorithm {
    code: 0,
    name: "ethash",
    file_suffix: "",
    kind: Kind::Hashimoto(|tier, rows, modulus, seed| tier.fill_cache(rows, modulus, seed)),
};
