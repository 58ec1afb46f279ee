//! Hashimoto: header and nonce to mix digest and result, over the light cache or the dataset.
//!
//! Shares of a batch advance together, one dataset access at a time, so that the source of pages
//! sees all addresses at once and can overlap the waits for memory.

use crate::cache::Cache;
use crate::items::CHAINS_MAX;
use crate::keccak::{bytes_to_lanes, keccak256_lanes, keccak512_lanes, lanes_to_bytes};
use crate::row::{FastMod, Row, fnv};
use crate::tier::Tier;

/// Dataset accesses of one hash.
const ACCESSES: u32 = 64;

/// Shares of one pass: each has two chains, for the two items of a page.
pub const PASS_MAX: usize = CHAINS_MAX / 2;

/// What is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The header's hash without seal.
    pub header: [u8; 32],
    /// The 64-bit nonce.
    pub nonce: u64,
}

/// What comes out; both big-endian as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The mix digest.
    pub mix: [u8; 32],
    /// The result, to be compared with the target.
    pub result: [u8; 32],
}

impl Output {
    /// An output of zeros, to be overwritten.
    pub const ZERO: Output = Output {
        mix: [0; 32],
        result: [0; 32],
    };
}

/// Where 128-byte dataset pages come from.
pub trait Pages {
    /// Remainders by the number of pages.
    fn modulus(&self) -> FastMod;
    /// Puts page `pages[i]` into `rows[2 * i]` and `rows[2 * i + 1]`.
    fn load(&self, pages: &[u32], rows: &mut [Row]);
}

/// Pages computed from the light cache.
pub struct LightPages<'a> {
    /// The cache of the epoch.
    pub cache: &'a Cache,
    /// Remainders by the number of dataset pages.
    pub modulus: FastMod,
}

impl Pages for LightPages<'_> {
    #[inline(always)]
    fn modulus(&self) -> FastMod {
        self.modulus
    }

    fn load(&self, pages: &[u32], rows: &mut [Row]) {
        let mut numbers = [0; CHAINS_MAX];
        for (pair, page) in numbers.chunks_exact_mut(2).zip(pages) {
            pair[0] = 2 * page;
            pair[1] = 2 * page + 1;
        }
        Tier::detect().compute_items(self.cache, &numbers[..rows.len()], rows);
    }
}

/// Hashes any number of requests, in passes of at most [`PASS_MAX`].
pub fn hash_batch(pages: &impl Pages, requests: &[Request], outputs: &mut [Output]) {
    assert_eq!(requests.len(), outputs.len());
    for (some, out) in requests.chunks(PASS_MAX).zip(outputs.chunks_mut(PASS_MAX)) {
        hash_pass(pages, some, out);
    }
}

fn hash_pass(source: &impl Pages, requests: &[Request], outputs: &mut [Output]) {
    let count = requests.len();
    let modulus = source.modulus();
    let mut seeds = [[0u64; 8]; PASS_MAX];
    let mut mixes = [[Row::ZERO; 2]; PASS_MAX];
    let mut pages = [0u32; PASS_MAX];
    let mut rows = [Row::ZERO; CHAINS_MAX];

    for ((seed, mix), request) in seeds.iter_mut().zip(&mut mixes).zip(requests) {
        *seed = seed_of(request);
        *mix = [Row::from_lanes(seed); 2];
    }
    for i in 0..ACCESSES {
        let (half, word) = ((i as usize / 16) % 2, i as usize % 16);
        for ((page, seed), mix) in pages[..count].iter_mut().zip(&seeds).zip(&mixes) {
            *page = modulus.remainder(fnv(i ^ seed[0] as u32, mix[half].0[word]));
        }
        source.load(&pages[..count], &mut rows[..2 * count]);
        for (mix, page) in mixes[..count].iter_mut().zip(rows.chunks_exact(2)) {
            mix[0].mix(&page[0]);
            mix[1].mix(&page[1]);
        }
    }
    for ((out, seed), mix) in outputs.iter_mut().zip(&seeds).zip(&mixes) {
        let digest = compress(mix);
        out.mix = lanes_to_bytes(&digest);
        out.result = lanes_to_bytes(&finish(seed, &digest));
    }
}

/// The result for a claimed mix digest: two keccaks.
///
/// It filters junk cheaply and proves nothing: anyone can search for a digest that passes.
pub fn final_hash(request: &Request, mix: &[u8; 32]) -> [u8; 32] {
    lanes_to_bytes(&finish(&seed_of(request), &bytes_to_lanes::<4>(mix)))
}

/// keccak-512 of header and nonce; the nonce enters little-endian.
#[inline(always)]
fn seed_of(request: &Request) -> [u64; 8] {
    let header = bytes_to_lanes::<4>(&request.header);
    keccak512_lanes(&[header[0], header[1], header[2], header[3], request.nonce])
}

/// The 128-byte mix folded to 32 bytes, four words to one.
#[inline(always)]
fn compress(mix: &[Row; 2]) -> [u64; 4] {
    let word = |i: usize| {
        let part = &mix[i / 4].0[i % 4 * 4..][..4];
        u64::from(fnv(fnv(fnv(part[0], part[1]), part[2]), part[3]))
    };
    std::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
}

/// keccak-256 of seed and mix digest.
#[inline(always)]
fn finish(seed: &[u64; 8], digest: &[u64; 4]) -> [u64; 4] {
    let mut message = [0; 12];
    message[..8].copy_from_slice(seed);
    message[8..].copy_from_slice(digest);
    keccak256_lanes(&message)
}
