//! Shares per second by wall clock with several threads: `cargo bench --bench threads [-- EPOCH...]`.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quarry_ethash::context::{Context, Wish};
use quarry_ethash::epoch::Shape;
use quarry_ethash::ethash;
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::tier::Tier;

const BATCH: usize = 64;
const SPAN: Duration = Duration::from_secs(4);

fn main() {
    let named: Vec<u32> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    for epoch in if named.is_empty() {
        vec![0, 390]
    } else {
        named
    } {
        let shape = Shape::of_epoch(&ethash::ALGORITHM, epoch, epoch).unwrap();
        let context = Context::build(shape, Tier::best()).unwrap();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for threads in 1..=cores {
            let (nonces, start) = (AtomicU64::new(0), Instant::now());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let mut requests = [Request {
                            header: [3; 32],
                            nonce: 0,
                        }; BATCH];
                        let mut outputs = [Output::ZERO; BATCH];
                        while start.elapsed() < SPAN {
                            let first = nonces.fetch_add(BATCH as u64, Ordering::Relaxed);
                            for (i, request) in requests.iter_mut().enumerate() {
                                request.nonce = first + i as u64;
                            }
                            context.hash(Wish::Light, &requests, &mut outputs).unwrap();
                        }
                    });
                }
            });
            let rate = nonces.into_inner() as f64 / start.elapsed().as_secs_f64();
            println!("epoch {epoch:3} {threads} threads {rate:8.0} shares/s");
        }
    }
}
