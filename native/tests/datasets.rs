//! Full datasets: equal to the light cache, damage noticed, shared between builders, removed.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Scratch, hash, requests, singly, tiny_shape};
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::dataset::Place;
use quarry_ethash::dataset_file::{file_bytes, file_name, prune, write_dummy};
use quarry_ethash::epoch::Shape;
use quarry_ethash::ethash;
use quarry_ethash::generate::{Job, Phase, Progress};
use quarry_ethash::status::Status;
use quarry_ethash::tier::Tier;

fn tiny(tier: Tier) -> Context {
    Context::build(tiny_shape(), tier).unwrap()
}

/// Several parts of a generation.
fn small() -> Context {
    let shape = Shape::of_items(&ethash::ALGORITHM, 1021, 20_011, 3).unwrap();
    Context::build(shape, Tier::best()).unwrap()
}

fn prepare(context: &Context, place: Place<'_>) -> Result<(), Status> {
    let job = Job {
        threads: 3,
        stop: &|| false,
        progress: &Progress::default(),
    };
    context.prepare(place, &job)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_dataset_equals_the_light_cache_in_every_tier_and_batch_size() {
    let scratch = Scratch::new("equal");
    let requests = requests(128);
    let expected = singly(&tiny(Tier::PORTABLE), Wish::Light, &requests);
    for tier in Tier::available() {
        for place in [Place::Memory, Place::Directory(&scratch.0)] {
            let context = tiny(tier);
            prepare(&context, place).unwrap();
            for size in 1..=128 {
                let outputs = hash(&context, Wish::Dataset, &requests[128 - size..]);
                assert_eq!(
                    outputs,
                    expected[128 - size..],
                    "batch of {size}, {tier:?}, {place:?}"
                );
            }
            assert_eq!(hash(&context, Wish::Best, &requests), expected);
            context.detach();
            assert_eq!(hash(&context, Wish::Best, &requests), expected);
            assert_eq!(context.hasher(Wish::Dataset).err(), Some(Status::NoDataset));
        }
    }
}

#[test]
fn a_file_has_the_name_size_and_neighbours_that_are_documented() {
    let scratch = Scratch::new("names");
    let context = small();
    prepare(&context, Place::Directory(&scratch.0)).unwrap();
    let name = file_name(&context.shape);
    let expected = [name.clone(), format!("{name}.lock"), format!("{name}.sums")];
    assert_eq!(names(&scratch.0), expected, "no temporary file is left");
    let path = scratch.0.join(name);
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        file_bytes(&context.shape)
    );
    let other = small();
    other.attach(&path).unwrap();
    let requests = requests(40);
    let light = hash(&context, Wish::Light, &requests);
    assert_eq!(hash(&other, Wish::Dataset, &requests), light);
}

#[test]
fn a_whole_file_is_used_again_and_a_damaged_one_is_made_anew() {
    let scratch = Scratch::new("damage");
    let place = Place::Directory(&scratch.0);
    let path = scratch.0.join(file_name(&small().shape));
    let sums = path.with_extension("sums");
    prepare(&small(), place).unwrap();
    let (good, good_sums) = (fs::read(&path).unwrap(), fs::read(&sums).unwrap());
    let inode = fs::metadata(&path).unwrap().ino();
    prepare(&small(), place).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().ino(),
        inode,
        "a whole file is not written again"
    );

    let last = good.len() - 1;
    let flipped = |at: usize| [&good[..at], &[good[at] ^ 1], &good[at + 1..]].concat();
    let last_sum = good_sums.len() - 1;
    for (what, bytes, sums_bytes) in [
        ("truncated", good[..last].to_vec(), good_sums.clone()),
        ("magic", flipped(0), good_sums.clone()),
        ("one bit", flipped(100_003), good_sums.clone()),
        ("last byte", flipped(last), good_sums.clone()),
        ("empty", Vec::new(), good_sums.clone()),
        (
            "no content",
            [&good[..8], &vec![0; last - 7]].concat(),
            good_sums.clone(),
        ),
        ("sums cut", good.clone(), good_sums[..last_sum].to_vec()),
        (
            "sums too long",
            good.clone(),
            [&good_sums[..], &[0]].concat(),
        ),
        (
            "sums of another epoch",
            good.clone(),
            [b"quarryD1....", &good_sums[12..]].concat(),
        ),
    ] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::write(&sums, sums_bytes).unwrap();
        let broken = fs::metadata(&path).unwrap().ino();
        let context = small();
        prepare(&context, place).unwrap();
        assert!(fs::read(&path).unwrap() == good, "{what}");
        assert!(fs::read(&sums).unwrap() == good_sums, "{what}");
        assert_ne!(fs::metadata(&path).unwrap().ino(), broken, "{what}");
        assert!(context.has_dataset());
    }
    // Without checksums (made by go-ethereum) a file can be attached, but is not trusted whole.
    fs::remove_file(&sums).unwrap();
    small().attach(&path).unwrap();
    prepare(&small(), place).unwrap();
    assert!(sums.exists());
}

#[test]
fn attaching_refuses_a_broken_file() {
    let scratch = Scratch::new("broken");
    let context = tiny(Tier::best());
    let path = write_dummy(&context.shape, &scratch.0).unwrap();
    let attach = |path| context.attach(path).err();
    assert_eq!(
        attach(&path),
        Some(Status::InvalidDataset),
        "a dummy has no content"
    );
    prepare(&tiny(Tier::best()), Place::Directory(&scratch.0)).unwrap();
    let good = fs::read(&path).unwrap();
    assert_eq!(attach(&path), None);
    for bytes in [&good[1..], &good[..good.len() - 1], &[]] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            attach(&path),
            Some(Status::InvalidDataset),
            "{} bytes",
            bytes.len()
        );
    }
    assert_eq!(attach(&scratch.0.join("absent")), Some(Status::Io));
}

#[test]
fn a_stopped_generation_leaves_no_file_and_no_dataset() {
    let scratch = Scratch::new("stopped");
    for place in [Place::Memory, Place::Directory(&scratch.0)] {
        let context = small();
        let asked = AtomicUsize::new(0);
        // Stops in the middle: after the lock and some parts.
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 3;
        let job = Job {
            threads: 1,
            stop: &stop,
            progress: &context.progress,
        };
        assert_eq!(context.prepare(place, &job), Err(Status::Closed));
        assert!(!context.has_dataset());
        assert_eq!(context.progress.read(), (Phase::Idle as u32, 0, 0));
    }
    assert_eq!(
        names(&scratch.0),
        [format!("{}.lock", file_name(&small().shape))]
    );
}

#[test]
fn progress_is_seen_while_a_dataset_is_generated() {
    let context = small();
    let seen = std::sync::Mutex::new(Vec::new());
    let look = || {
        seen.lock().unwrap().push(context.progress.read());
        false
    };
    let job = Job {
        threads: 1,
        stop: &look,
        progress: &context.progress,
    };
    context.prepare(Place::Memory, &job).unwrap();
    let rows = 2 * 20_011;
    let expected: Vec<_> = (0..5)
        .map(|i| (Phase::Generating as u32, i * 8192, rows))
        .collect();
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(context.progress.read(), (Phase::Idle as u32, 0, 0));
}

#[test]
fn threads_that_prepare_one_file_together_do_it_once() {
    let scratch = Scratch::new("together");
    // Contexts of their own, as in separate processes: only the file's lock stands between them.
    let contexts: Vec<Context> = (0..4).map(|_| small()).collect();
    let generations = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for context in &contexts {
            scope.spawn(|| {
                let look = || {
                    let (phase, done, _) = context.progress.read();
                    let fresh = phase == Phase::Generating as u32 && done == 0;
                    generations.fetch_add(usize::from(fresh), Ordering::Relaxed);
                    false
                };
                let job = Job {
                    threads: 1,
                    stop: &look,
                    progress: &context.progress,
                };
                context.prepare(Place::Directory(&scratch.0), &job).unwrap();
            });
        }
    });
    assert_eq!(generations.into_inner(), 1);
    let requests = requests(20);
    let expected = hash(&contexts[0], Wish::Light, &requests);
    for context in &contexts {
        assert_eq!(hash(context, Wish::Dataset, &requests), expected);
    }
}

#[test]
fn old_files_are_removed_unless_they_are_in_use_or_not_ours() {
    let scratch = Scratch::new("prune");
    let shape = |rounds| Shape::of_items(&ethash::ALGORITHM, 61, 251, rounds).unwrap();
    let mut contexts: Vec<Context> = (0..4)
        .map(|rounds| Context::build(shape(rounds), Tier::best()).unwrap())
        .collect();
    for context in &contexts {
        prepare(context, Place::Directory(&scratch.0)).unwrap();
    }
    let path = |rounds| scratch.0.join(file_name(&shape(rounds)));
    // go-ethereum's: no checksums.
    fs::remove_file(path(1).with_extension("sums")).unwrap();
    for context in &contexts[1..] {
        context.detach();
    }
    assert_eq!(prune(&scratch.0, 3), Ok(1));
    let left = |rounds| path(rounds).exists();
    assert_eq!([0, 1, 2, 3].map(left), [true, true, false, true]);
    contexts.clear();
    assert_eq!(prune(&scratch.0, 3), Ok(1));
    assert_eq!([0, 1, 2, 3].map(left), [false, true, false, true]);
    assert_eq!(prune(&scratch.0.join("absent"), 3), Err(Status::Io));
}

#[test]
fn a_dummy_is_sparse_and_named_as_go_ethereum_names_it() {
    let scratch = Scratch::new("dummy");
    let shape = Shape::of_epoch(&ethash::ALGORITHM, 1, 1).unwrap();
    let path = write_dummy(&shape, &scratch.0).unwrap();
    assert!(path.ends_with("full-R23-290decd9548b62a8"));
    let bytes = fs::metadata(&path).unwrap();
    assert_eq!(bytes.len(), 1_082_130_312);
    assert!(bytes.blocks() < 64, "blocks on disk: {}", bytes.blocks());
}
