//! Batches and searches against the obvious way of doing the same.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use common::{hash, requests, singly, tiny_shape};
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::hashimoto::Request;
use quarry_ethash::search::search;
use quarry_ethash::tier::Tier;

#[test]
fn batches_of_every_size_equal_singles_in_every_tier() {
    let requests = requests(130);
    let portable = Context::build(tiny_shape(), Tier::PORTABLE).unwrap();
    let expected = singly(&portable, Wish::Light, &requests);
    for tier in Tier::available() {
        let context = Context::build(tiny_shape(), tier).unwrap();
        for size in 1..=130 {
            let outputs = hash(&context, Wish::Light, &requests[130 - size..]);
            assert_eq!(outputs, expected[130 - size..], "batch of {size}, {tier:?}");
        }
    }
}

#[test]
fn a_search_finds_the_first_solution_of_its_range() {
    let context = Context::build(tiny_shape(), Tier::best()).unwrap();
    let header = [7; 32];
    let range: Vec<_> = (0..300).map(|nonce| Request { header, nonce }).collect();
    let results: Vec<_> = singly(&context, Wish::Light, &range)
        .iter()
        .map(|o| o.result)
        .collect();
    let best = *results.iter().min().unwrap();
    let at = results.iter().position(|result| *result == best).unwrap() as u64;

    let hasher = context.hasher(Wish::Best).unwrap();
    let find = |start, count, target| search(&hasher, &header, start, count, target, || false);
    let (found, tried) = find(0, 300, &best);
    let found = found.expect("a target that is met exactly is met");
    assert_eq!(
        (found.nonce, found.output.result, u64::from(tried)),
        (at, best, at + 1)
    );
    // One below the best result: nothing, and every nonce was tried.
    let mut below = best;
    *below.iter_mut().rfind(|byte| **byte > 0).unwrap() -= 1;
    assert_eq!(find(0, 300, &below), (None, 300));
    // Every result satisfies the largest target, also where nonces wrap.
    assert_eq!(find(u64::MAX, 2, &[0xff; 32]).0.unwrap().nonce, u64::MAX);
    assert_eq!(find(u64::MAX, 65, &[0; 32]), (None, 65));
}
