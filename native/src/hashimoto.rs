//! Hashimoto: header and nonce to mix digest and result, over the light cache or the dataset.
//!
//! Shares of a batch advance together, one dataset access at a time, so that their waits for memory
//! overlap.

use crate::cache::Cache;
use crate::items::CHAINS_MAX;
use crate::keccak::{KECCAK256_RATE, KECCAK512_RATE, bytes_to_lanes, lanes_to_bytes};
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

/// keccak-512 of header and nonce.
type Seed = [u64; 8];

/// The 128 bytes that the accesses mix.
pub(crate) type Mix = [Row; 2];

/// Where the 128-byte pages of a whole dataset are.
pub(crate) trait Pages {
    /// Remainders by the number of pages.
    fn modulus(&self) -> FastMod;
    /// Asks for a page that is needed soon.
    fn prefetch(&self, page: u32);
    /// The two rows of a page.
    fn page(&self, page: u32) -> Mix;
}

/// Hashes over pages that are computed from the light cache; `modulus` is of the page count.
pub(crate) fn hash_light(
    tier: Tier,
    cache: &Cache,
    modulus: FastMod,
    requests: &[Request],
    outputs: &mut [Output],
) {
    hash_passes(tier, requests, outputs, |seeds, mixes| {
        let count = seeds.len();
        let mut numbers = [0; CHAINS_MAX];
        let mut rows = [Row::ZERO; CHAINS_MAX];
        for i in 0..ACCESSES {
            for ((pair, seed), mix) in numbers
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(seeds)
                .zip(&*mixes)
            {
                let page = modulus.remainder(page_hash(i, seed, mix));
                *pair = [2 * page, 2 * page + 1];
            }
            tier.compute_items(cache, &numbers[..2 * count], &mut rows[..2 * count]);
            for (mix, page) in mixes.iter_mut().zip(rows.as_chunks::<2>().0) {
                mix[0].mix(&page[0]);
                mix[1].mix(&page[1]);
            }
        }
    });
}

/// Hashes over a whole dataset.
pub(crate) fn hash_full(
    tier: Tier,
    pages: &(impl Pages + Sync),
    requests: &[Request],
    outputs: &mut [Output],
) {
    hash_passes(tier, requests, outputs, |seeds, mixes| {
        tier.mix_pages(pages, seeds, mixes)
    });
}

/// The accesses of a pass to a whole dataset: each page is asked for one round before its use.
#[inline(always)]
pub(crate) fn mix_pages(pages: &impl Pages, seeds: &[Seed], mixes: &mut [Mix]) {
    let modulus = pages.modulus();
    let mut next = [0; PASS_MAX];
    for ((page, seed), mix) in next.iter_mut().zip(seeds).zip(&*mixes) {
        *page = modulus.remainder(page_hash(0, seed, mix));
        pages.prefetch(*page);
    }
    for i in 1..=ACCESSES {
        for ((page, seed), mix) in next.iter_mut().zip(seeds).zip(mixes.iter_mut()) {
            let rows = pages.page(*page);
            mix[0].mix(&rows[0]);
            mix[1].mix(&rows[1]);
            // After the last access this asks for a page that nobody uses: cheaper than a branch.
            *page = modulus.remainder(page_hash(i, seed, mix));
            pages.prefetch(*page);
        }
    }
}

/// What the number of the page of access `i` is the remainder of.
#[inline(always)]
fn page_hash(i: u32, seed: &Seed, mix: &Mix) -> u32 {
    fnv(
        i ^ seed[0] as u32,
        mix[(i % 32 / 16) as usize].0[(i % 16) as usize],
    )
}

/// Seeds, accesses and final hashes of requests, in passes.
fn hash_passes(
    tier: Tier,
    requests: &[Request],
    outputs: &mut [Output],
    access: impl Fn(&[Seed], &mut [Mix]),
) {
    assert_eq!(requests.len(), outputs.len(), "one output for each request");
    for (requests, outputs) in requests.chunks(PASS_MAX).zip(outputs.chunks_mut(PASS_MAX)) {
        let mut seeds = [[0; 8]; PASS_MAX];
        let seeds = &mut seeds[..requests.len()];
        seeds_of(tier, requests, seeds);
        let mut mixes = [[Row::ZERO; 2]; PASS_MAX];
        let mixes = &mut mixes[..requests.len()];
        for (mix, seed) in mixes.iter_mut().zip(&*seeds) {
            *mix = [Row::from_lanes(seed); 2];
        }
        access(seeds, mixes);
        for (output, mix) in outputs.iter_mut().zip(&*mixes) {
            output.mix = lanes_to_bytes(&compress(mix));
        }
        finish(tier, seeds, outputs);
    }
}

/// Fills in the results that belong to mix digests, see [`crate::algorithm::Algorithm`].
pub(crate) fn final_hashes(tier: Tier, requests: &[Request], outputs: &mut [Output]) {
    assert_eq!(requests.len(), outputs.len(), "one output for each request");
    for (requests, outputs) in requests.chunks(PASS_MAX).zip(outputs.chunks_mut(PASS_MAX)) {
        let mut seeds = [[0; 8]; PASS_MAX];
        seeds_of(tier, requests, &mut seeds[..requests.len()]);
        finish(tier, &seeds[..requests.len()], outputs);
    }
}

/// keccak-512 of headers and nonces; a nonce enters little-endian.
pub(crate) fn seeds_of(tier: Tier, requests: &[Request], seeds: &mut [Seed]) {
    let mut messages = [[0; 5]; PASS_MAX];
    for (message, request) in messages.iter_mut().zip(requests) {
        message[..4].copy_from_slice(&bytes_to_lanes::<4>(&request.header));
        message[4] = request.nonce;
    }
    tier.keccak(KECCAK512_RATE, &messages[..requests.len()], seeds);
}

/// The results: keccak-256 of seed and mix digest.
fn finish(tier: Tier, seeds: &[Seed], outputs: &mut [Output]) {
    let mut messages = [[0; 12]; PASS_MAX];
    for ((message, seed), output) in messages.iter_mut().zip(seeds).zip(&*outputs) {
        message[..8].copy_from_slice(seed);
        message[8..].copy_from_slice(&bytes_to_lanes::<4>(&output.mix));
    }
    let mut results = [[0; 4]; PASS_MAX];
    tier.keccak(
        KECCAK256_RATE,
        &messages[..seeds.len()],
        &mut results[..seeds.len()],
    );
    for (output, result) in outputs.iter_mut().zip(&results) {
        output.result = lanes_to_bytes(result);
    }
}

/// The 128-byte mix folded to 32 bytes, four words to one.
#[inline(always)]
fn compress(mix: &Mix) -> [u64; 4] {
    let word = |i: usize| {
        let part = &mix[i / 4].0[i % 4 * 4..][..4];
        u64::from(fnv(fnv(fnv(part[0], part[1]), part[2]), part[3]))
    };
    std::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
}
