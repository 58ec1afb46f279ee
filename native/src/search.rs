//! Search for a nonce whose result is at or below a target.

use crate::hashimoto::{Output, PASS_MAX, Request};

/// The most nonces of one call, so that a call always ends within minutes.
pub const SEARCH_MAX: u32 = 1 << 24;

/// A solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The lowest nonce of the range that satisfies the target.
    pub nonce: u64,
    /// Its mix digest and result.
    pub output: Output,
}

/// Tries `count` nonces from `start` on (wrapping at 2^64); the first solution, if there is one,
/// and how many nonces were gone through up to and including it. `hash` hashes requests into as many
/// outputs. Stops early when `stop` says so.
pub fn search(
    hash: impl Fn(&[Request], &mut [Output]),
    header: &[u8; 32],
    start: u64,
    count: u32,
    target: &[u8; 32],
    stop: impl Fn() -> bool,
) -> (Option<Found>, u32) {
    let mut requests = [Request {
        header: *header,
        nonce: 0,
    }; PASS_MAX];
    let mut outputs = [Output::ZERO; PASS_MAX];
    let mut tried = 0;
    while tried < count && !stop() {
        let some = PASS_MAX.min((count - tried) as usize);
        for (i, request) in requests[..some].iter_mut().enumerate() {
            request.nonce = start.wrapping_add(u64::from(tried) + i as u64);
        }
        hash(&requests[..some], &mut outputs[..some]);
        // Both are big-endian, so that arrays compare as numbers.
        if let Some(i) = outputs[..some]
            .iter()
            .position(|output| output.result <= *target)
        {
            let found = Found {
                nonce: requests[i].nonce,
                output: outputs[i],
            };
            return (Some(found), tried + i as u32 + 1);
        }
        tried += some as u32;
    }
    (None, tried)
}
