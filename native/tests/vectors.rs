//! The published and independently computed hashes of `tests/vectors`, in every tier.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::Group;
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::tier::Tier;

#[test]
fn every_vector_is_reproduced_in_every_tier() {
    let groups = common::vectors();
    let counts = common::FILES.map(|file| {
        let of_file = groups.iter().filter(|group| group.file == file);
        of_file.map(|group| group.vectors.len()).sum::<usize>()
    });
    assert_eq!(counts, [128 + 2, 64, 32, 8, 32]);
    let next = AtomicUsize::new(0);
    // Groups over two threads, the largest first: building caches is what takes the time.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(i) = groups
                    .len()
                    .checked_sub(1 + next.fetch_add(1, Ordering::Relaxed))
                {
                    // The smallest group of each file is tried in every batch size.
                    let smallest = groups.iter().position(|group| group.file == groups[i].file);
                    let first = Context::build(groups[i].shape, Tier::best()).unwrap();
                    for tier in Tier::available() {
                        check_group(&groups[i], &first, tier, smallest == Some(i));
                    }
                }
            });
        }
    });
}

fn check_group(group: &Group, first: &Context, tier: Tier, smallest: bool) {
    // Every tier builds small caches itself, from its own keccak; large ones would take minutes.
    let context = match smallest {
        true => Context::build(group.shape, tier).unwrap(),
        false => first.in_tier(tier),
    };
    let vectors = || group.vectors.iter().cycle();
    let check = |size: usize| {
        let requests: Vec<Request> = vectors().take(size).map(|vector| vector.request).collect();
        let mut outputs = vec![Output::ZERO; size];
        context.hash(Wish::Light, &requests, &mut outputs).unwrap();
        for (vector, output) in vectors().zip(&outputs) {
            vector.assert_equals(output);
        }
        outputs
    };
    let outputs = check(group.vectors.len());
    if smallest {
        (1..=128).for_each(|size| {
            check(size);
        });
    }
    let mut altered: Vec<Request> = Vec::new();
    for (vector, output) in group.vectors.iter().zip(&outputs) {
        if let Some(difficulty) = vector.difficulty {
            // A real block: the result's upper 128 bits are below 2^128 / difficulty.
            let upper = u128::from_be_bytes(*output.result.first_chunk().unwrap());
            assert!(upper <= u128::MAX / difficulty, "block {}", vector.height);
        }
        altered.push(Request {
            nonce: vector.request.nonce ^ 1,
            ..vector.request
        });
    }
    let mut others = vec![Output::ZERO; altered.len()];
    context.hash(Wish::Light, &altered, &mut others).unwrap();
    for (one, other) in outputs.iter().zip(&others) {
        assert!(one.mix != other.mix && one.result != other.result);
    }
    let requests: Vec<Request> = group.vectors.iter().map(|vector| vector.request).collect();
    let mut claims = outputs.clone();
    claims.iter_mut().for_each(|claim| claim.result = [0; 32]);
    let algorithm = group.shape.algorithm;
    algorithm.final_hashes(tier, &requests, &mut claims);
    assert_eq!(claims, outputs);
    claims.iter_mut().for_each(|claim| claim.mix[31] ^= 1);
    algorithm.final_hashes(tier, &requests, &mut claims);
    for (claim, output) in claims.iter().zip(&outputs) {
        assert!(claim.result != output.result);
    }
}
