//! The published and independently computed hashes of `tests/vectors`.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Request, final_hash, hash_batch};
use quarry_ethash::registry::Context;

#[test]
fn every_vector_is_reproduced() {
    let groups: Vec<_> = common::vectors().into_iter().collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    // One cache per group, groups over two threads: building caches is what takes the time.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(((epoch, rounds), vectors)) =
                    groups.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    check_group(*epoch, *rounds, vectors);
                }
            });
        }
    });
}

fn check_group(epoch: u32, rounds: u32, vectors: &[common::Vector]) {
    let context = Context::build(Shape::of_epoch(epoch, rounds).unwrap()).unwrap();
    let requests: Vec<Request> = vectors.iter().map(|vector| vector.request).collect();
    let mut outputs = vec![Output::ZERO; requests.len()];
    hash_batch(&context.light(), &requests, &mut outputs);
    for (vector, output) in vectors.iter().zip(&outputs) {
        vector.assert_equals(output);
        assert_eq!(final_hash(&vector.request, &output.mix), output.result);
        if let Some(difficulty) = vector.difficulty {
            // A real block: the result's upper 128 bits are below 2^128 / difficulty.
            let upper = u128::from_be_bytes(*output.result.first_chunk().unwrap());
            assert!(upper <= u128::MAX / difficulty, "block {}", vector.height);
        }
    }
    let mut broken = [Request {
        nonce: requests[0].nonce ^ 1,
        ..requests[0]
    }; 1];
    let mut output = [Output::ZERO];
    hash_batch(&context.light(), &broken, &mut output);
    assert_ne!(output[0].mix, outputs[0].mix);
    broken[0].header[31] ^= 1;
    assert_ne!(final_hash(&broken[0], &outputs[0].mix), outputs[0].result);
}
