//! Rates of this machine: `cargo bench --bench rates [-- EPOCH...]`.
//!
//! CPU time of the calling thread, the smallest of several slices, every nonce a fresh one: shares
//! that come again would find their lines in the processor's cache.
#![allow(missing_docs, unsafe_code)]

#[path = "../tests/common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use quarry_ethash::context::{Context, Wish};
use quarry_ethash::dataset::Place;
use quarry_ethash::epoch::Shape;
use quarry_ethash::ethash;
use quarry_ethash::generate::Job;
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::tier::Tier;

const SLICES: usize = 7;

fn main() {
    let named: Vec<u32> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let epochs = if named.is_empty() {
        vec![0, 390]
    } else {
        named
    };
    final_hash_rates();
    for epoch in epochs {
        for tier in Tier::available() {
            let shape = Shape::of_epoch(&ethash::ALGORITHM, epoch, epoch).unwrap();
            let start = thread_seconds();
            let context = Context::build(shape, tier).unwrap();
            let built = (thread_seconds() - start) * 1e3;
            println!("epoch {epoch:3} {:8} cache {built:10.0} ms", tier.name());
            for size in [1, 2, 4, 8, 16, 32, 64] {
                report(
                    &context,
                    Wish::Light,
                    epoch,
                    tier,
                    size,
                    (192 / size).min(24),
                );
            }
            if std::env::var_os("QUARRY_BENCH_DATASET").is_some() && tier == Tier::best() {
                dataset_rates(&context, epoch, tier);
            }
        }
    }
}

fn dataset_rates(context: &Context, epoch: u32, tier: Tier) {
    let directory = std::env::var("QUARRY_BENCH_DATASET").unwrap();
    let file = Place::Directory(std::path::Path::new(&directory));
    for (name, place) in [("memory", Place::Memory), ("file", file)] {
        let job = Job {
            threads: 2,
            stop: &|| false,
            progress: &context.progress,
        };
        let start = std::time::Instant::now();
        context.prepare(place, &job).unwrap();
        println!(
            "epoch {epoch:3} {name} ready after {:.1} s",
            start.elapsed().as_secs_f64()
        );
        for size in [1, 8, 32, 64] {
            report(context, Wish::Dataset, epoch, tier, size, 40_000 / size);
        }
        context.detach();
    }
}

fn final_hash_rates() {
    let requests = common::requests(1024);
    let mut outputs = vec![Output::ZERO; 1024];
    for tier in Tier::available() {
        let each = smallest(1024 * 20, |_| {
            for _ in 0..20 {
                ethash::ALGORITHM.final_hashes(tier, &requests, &mut outputs);
            }
        });
        println!("{:8} final hash {:10.3} us", tier.name(), each * 1e6);
    }
}

fn report(context: &Context, wish: Wish, epoch: u32, tier: Tier, size: usize, calls: usize) {
    let mut outputs = vec![Output::ZERO; size];
    let mut requests = vec![
        Request {
            header: [epoch as u8; 32],
            nonce: 0
        };
        size
    ];
    let each = smallest(calls * size, |slice| {
        for call in 0..calls {
            for (i, request) in requests.iter_mut().enumerate() {
                request.nonce = ((slice * calls + call) * size + i) as u64;
            }
            context.hash(wish, &requests, &mut outputs).unwrap();
        }
    });
    let (name, us, rate) = (tier.name(), each * 1e6, 1.0 / each);
    println!("epoch {epoch:3} {name:8} {wish:?} batch {size:2} {us:10.3} us {rate:10.0} /s");
}

/// Seconds for each of `count` pieces of work in the fastest slice.
fn smallest(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let slice = |slice| {
        let start = thread_seconds();
        work(slice);
        (thread_seconds() - start) / count as f64
    };
    (0..SLICES).map(slice).fold(f64::INFINITY, f64::min)
}

fn thread_seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the struct is writable for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
