//! Rates of this machine: `cargo bench --bench rates`.
#![allow(missing_docs)]

#[path = "../tests/common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::time::Instant;

use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, hash_batch};
use quarry_ethash::registry::Context;

fn main() {
    for epoch in [0, 390] {
        let start = Instant::now();
        let context = Context::build(Shape::of_epoch(epoch, epoch).unwrap()).unwrap();
        println!(
            "epoch {epoch}: cache {:.3} s",
            start.elapsed().as_secs_f64()
        );
        for size in [1, 2, 4, 8, 16, 32, 64] {
            let requests = common::requests(size);
            let mut outputs = vec![Output::ZERO; size];
            let mut best = f64::INFINITY;
            for _ in 0..5 {
                let start = Instant::now();
                for _ in 0..(128 / size).min(32) {
                    hash_batch(&context.light(), &requests, &mut outputs);
                }
                let each = start.elapsed().as_secs_f64() / ((128 / size).min(32) * size) as f64;
                best = best.min(each);
            }
            println!(
                "epoch {epoch}: batch {size:2}: {:8.1} us {:8.0} /s",
                best * 1e6,
                1.0 / best
            );
        }
    }
}
