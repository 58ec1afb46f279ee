//! The vector files of `tests/vectors`, read once for all tests.

use std::fs;
use std::path::{Path, PathBuf};

use quarry_ethash::algorithm::Algorithm;
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::dataset::Place;
use quarry_ethash::epoch::Shape;
use quarry_ethash::generate::{Job, Progress};
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::{ethash, frkhash, ubqhash};
use serde_json::Value;

/// Etchash's first height with epochs of 60,000 blocks on Ethereum Classic (ECIP-1099).
const ECIP1099_CLASSIC: u64 = 11_700_000;
/// Ubiq's first height with BLAKE2b caches (UIP-1).
const UIP1: u64 = 660_000;

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

/// The vectors of one context.
pub struct Group {
    pub file: &'static str,
    pub shape: Shape,
    pub vectors: Vec<Vector>,
}

/// The vector files.
pub const FILES: [&str; 5] = ["ethash", "etchash", "ubqhash", "ubqhash_uip1", "frkhash"];

/// All vectors, grouped so that each light cache is built once; the smallest caches first.
pub fn vectors() -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for file in FILES {
        let json = read(file);
        let blocks = json["blocks"].as_array().into_iter().flatten();
        let blocks = blocks.map(|block| (block, "etchash"));
        let hashes = json["hashes"].as_array().unwrap().iter();
        for (entry, rule) in hashes.map(|hash| (hash, file)).chain(blocks) {
            let height = entry["height"]
                .as_u64()
                .or(entry["number"].as_u64())
                .unwrap();
            let shape = shape_of(rule, height);
            let vector = vector_of(entry, height);
            match groups
                .iter_mut()
                .find(|group| group.file == file && group.shape == shape)
            {
                Some(group) => group.vectors.push(vector),
                None => groups.push(Group {
                    file,
                    shape,
                    vectors: vec![vector],
                }),
            }
        }
    }
    groups.sort_by_key(|group| group.shape.cache_items);
    groups
}

/// The context of a height under the rule of a vector file.
///
/// `ubqhash.json` is Ethash all through, against what it says of itself: go-etchash's light verifier
/// knows UIP-1 but never applies it. go-ubiq, the chain's node, does; its rule is `ubqhash_uip1`.
pub fn shape_of(rule: &str, height: u64) -> Shape {
    let epoch = (height / 30_000) as u32;
    let shape = |algorithm: &'static Algorithm, epoch, rounds| {
        Shape::of_epoch(algorithm, epoch, rounds).unwrap()
    };
    match rule {
        "frkhash" => shape(&frkhash::ALGORITHM, 0, 0),
        "ubqhash_uip1" if height >= UIP1 => shape(&ubqhash::ALGORITHM, epoch, epoch),
        "etchash" if height >= ECIP1099_CLASSIC => {
            let epoch = (height / 60_000) as u32;
            shape(&ethash::ALGORITHM, epoch, 2 * epoch)
        }
        _ => shape(&ethash::ALGORITHM, epoch, epoch),
    }
}

/// A tiny context with odd item counts, for tests that are not about real epochs.
pub fn tiny_shape() -> Shape {
    Shape::of_items(&ethash::ALGORITHM, 1021, 4093, 3).unwrap()
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

/// Hashes requests in one batch.
pub fn hash(context: &Context, wish: Wish, requests: &[Request]) -> Vec<Output> {
    let mut outputs = vec![Output::ZERO; requests.len()];
    context.hash(wish, requests, &mut outputs).unwrap();
    outputs
}

/// Hashes requests one by one.
pub fn singly(context: &Context, wish: Wish, requests: &[Request]) -> Vec<Output> {
    let one = |request: &Request| hash(context, wish, &[*request])[0];
    requests.iter().map(one).collect()
}

/// Gives a context its dataset, in memory.
pub fn prepare_in_memory(context: &Context) {
    let job = Job {
        threads: 1,
        stop: &|| false,
        progress: &Progress::default(),
    };
    context.prepare(Place::Memory, &job).unwrap();
}

/// A directory that is removed with its content.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("quarry-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
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
