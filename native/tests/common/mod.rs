//! The vector files of `tests/vectors`, read once for all tests.

use std::collections::BTreeMap;
use std::path::Path;

use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Request};
use serde_json::Value;

/// Etchash's first height with epochs of 60,000 blocks on Ethereum Classic.
const ECIP1099_CLASSIC: u64 = 11_700_000;

/// One line of a vector file.
pub struct Vector {
    pub request: Request,
    pub mix: [u8; 32],
    /// Absent where the chain publishes none.
    pub result: Option<[u8; 32]>,
    pub height: u64,
    pub difficulty: Option<u128>,
}

impl Vector {
    pub fn assert_equals(&self, output: &Output) {
        assert_eq!(output.mix, self.mix, "mix at height {}", self.height);
        if let Some(result) = self.result {
            assert_eq!(output.result, result, "result at height {}", self.height);
        }
    }
}

/// All vectors, grouped so that each light cache is built once: (size epoch, seed rounds).
pub fn vectors() -> BTreeMap<(u32, u32), Vec<Vector>> {
    let mut groups: BTreeMap<_, Vec<Vector>> = BTreeMap::new();
    for name in ["ethash", "etchash"] {
        let file = read(name);
        let hashes = file["hashes"].as_array().unwrap().iter();
        let blocks = file["blocks"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter();
        for (entry, is_etchash) in hashes
            .map(|hash| (hash, name == "etchash"))
            .chain(blocks.map(|block| (block, true)))
        {
            let height = entry["height"]
                .as_u64()
                .or(entry["number"].as_u64())
                .unwrap();
            let key = epoch_of(height, is_etchash);
            groups
                .entry(key)
                .or_default()
                .push(vector_of(entry, height));
        }
    }
    assert_eq!(groups.values().map(Vec::len).sum::<usize>(), 128 + 64 + 2);
    groups
}

/// Size epoch and seed rounds of a height.
pub fn epoch_of(height: u64, is_etchash: bool) -> (u32, u32) {
    if is_etchash && height >= ECIP1099_CLASSIC {
        let epoch = (height / 60_000) as u32;
        return (epoch, 2 * epoch);
    }
    let epoch = (height / 30_000) as u32;
    (epoch, epoch)
}

/// A tiny context with odd item counts, for tests that are not about real epochs.
pub fn tiny_shape() -> Shape {
    Shape::of_items(1021, 4093, 3).unwrap()
}

/// Random-looking requests without a random number generator.
pub fn requests(count: usize) -> Vec<Request> {
    (0..count)
        .map(|i| Request {
            header: std::array::from_fn(|j| (i * 31 + j * 7 + 5) as u8),
            nonce: 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(i as u64 + 1),
        })
        .collect()
}

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/vectors/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn vector_of(entry: &Value, height: u64) -> Vector {
    let text = |key: &str| entry[key].as_str();
    Vector {
        request: Request {
            header: bytes(text("header").unwrap()),
            nonce: u64::from_str_radix(&text("nonce").unwrap()[2..], 16).unwrap(),
        },
        mix: bytes(text("mix").unwrap()),
        result: text("result").map(bytes),
        height,
        difficulty: text("difficulty").map(|decimal| decimal.parse().unwrap()),
    }
}

fn bytes(hex: &str) -> [u8; 32] {
    assert_eq!(hex.len(), 66);
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 + 2 * i..][..2], 16).unwrap())
}
