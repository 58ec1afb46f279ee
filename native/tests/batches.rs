//! Batches, tiers, datasets and searches against the obvious way of doing the same.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::fs;
use std::path::PathBuf;

use common::{requests, tiny_shape};
use quarry_ethash::dataset::{Dataset, file_bytes, file_name, write, write_dummy};
use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Pages, Request, hash_batch};
use quarry_ethash::registry::Context;
use quarry_ethash::search::search;
use quarry_ethash::status::Status;

fn singly(pages: &impl Pages, requests: &[Request]) -> Vec<Output> {
    requests
        .iter()
        .map(|request| {
            let mut output = [Output::ZERO];
            hash_batch(pages, &[*request], &mut output);
            output[0]
        })
        .collect()
}

/// A directory that is removed with its content.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
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

#[test]
fn batches_of_every_size_equal_singles() {
    let context = Context::build(tiny_shape()).unwrap();
    let requests = requests(130);
    let expected = singly(&context.light(), &requests);
    for size in (1..=64).chain([65, 127, 128, 130]) {
        let mut outputs = vec![Output::ZERO; size];
        hash_batch(&context.light(), &requests[130 - size..], &mut outputs);
        assert_eq!(outputs, expected[130 - size..], "batch of {size}");
    }
}

#[test]
fn a_written_dataset_equals_the_light_cache() {
    let scratch = Scratch::new("dataset");
    let context = Context::build(tiny_shape()).unwrap();
    let path = write(&context.cache, &context.shape, &scratch.0, 3, &|| false).unwrap();
    assert_eq!(path, scratch.0.join(file_name(3)));
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        file_bytes(&context.shape)
    );
    assert_eq!(
        fs::read_dir(&scratch.0).unwrap().count(),
        1,
        "no temporary file is left"
    );

    let dataset = Dataset::open(&path, &context.shape, &context.cache).unwrap();
    let requests = requests(100);
    let mut outputs = vec![Output::ZERO; 100];
    hash_batch(&dataset, &requests, &mut outputs);
    assert_eq!(outputs, singly(&context.light(), &requests));
}

#[test]
fn a_broken_dataset_is_refused() {
    let scratch = Scratch::new("broken");
    let context = Context::build(tiny_shape()).unwrap();
    let open = |path| Dataset::open(path, &context.shape, &context.cache).err();
    let path = write_dummy(&context.shape, &scratch.0).unwrap();
    assert_eq!(
        open(&path),
        Some(Status::InvalidDataset),
        "a dummy has no content"
    );

    write(&context.cache, &context.shape, &scratch.0, 1, &|| false).unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(open(&path), None);
    let last = good.len() - 1;
    for (what, bytes) in [
        ("truncated", good[..last].to_vec()),
        ("magic", [&[0], &good[1..]].concat()),
        ("last byte", [&good[..last], &[good[last] ^ 1]].concat()),
        ("empty", Vec::new()),
    ] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(open(&path), Some(Status::InvalidDataset), "{what}");
    }
    assert_eq!(open(&scratch.0.join("absent")), Some(Status::Io));
}

#[test]
fn a_stopped_generation_leaves_no_file() {
    let scratch = Scratch::new("stopped");
    let context = Context::build(tiny_shape()).unwrap();
    let stopped = write(&context.cache, &context.shape, &scratch.0, 2, &|| true);
    assert_eq!(stopped, Err(Status::Closed));
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
}

#[test]
fn a_dummy_is_sparse_and_named_as_go_ethereum_names_it() {
    let scratch = Scratch::new("dummy");
    let path = write_dummy(&Shape::of_epoch(1, 1).unwrap(), &scratch.0).unwrap();
    assert!(path.ends_with("full-R23-290decd9548b62a8"));
    let bytes = fs::metadata(&path).unwrap();
    assert_eq!(bytes.len(), 1_082_130_312);
    use std::os::unix::fs::MetadataExt;
    assert!(bytes.blocks() < 64, "blocks on disk: {}", bytes.blocks());
}

#[test]
fn a_search_finds_the_first_solution_of_its_range() {
    let context = Context::build(tiny_shape()).unwrap();
    let header = [7; 32];
    let range: Vec<_> = (0..300).map(|nonce| Request { header, nonce }).collect();
    let results: Vec<_> = singly(&context.light(), &range)
        .iter()
        .map(|o| o.result)
        .collect();
    let best = *results.iter().min().unwrap();
    let at = results.iter().position(|result| *result == best).unwrap() as u64;

    let find =
        |start, count, target| search(&context.light(), &header, start, count, target, || false);
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
