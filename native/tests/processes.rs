//! Processes that prepare the same dataset file: one builds it, the others wait for it and use it.
//!
//! The processes are this test's own program, told to run the test `child` alone.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::env;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use common::{Scratch, hash, requests};
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::dataset::Place;
use quarry_ethash::dataset_file::{file_name, prune};
use quarry_ethash::epoch::Shape;
use quarry_ethash::ethash;
use quarry_ethash::generate::{Job, Phase};
use quarry_ethash::tier::Tier;

/// The directory that a child prepares the file in.
const DIRECTORY: &str = "QUARRY_TEST_DIRECTORY";
/// When set, a child asks before each part that it generates.
const ASKS: &str = "QUARRY_TEST_ASKS";

/// Five parts of a generation.
fn shape() -> Shape {
    Shape::of_items(&ethash::ALGORITHM, 1021, 20_011, 3).unwrap()
}

/// Prepares the file and says what it comes to; by itself in a directory of its own.
#[test]
fn child() {
    let scratch = Scratch::new("processes-child");
    let told = env::var_os(DIRECTORY);
    let directory = told.as_ref().map_or(scratch.0.as_path(), Path::new);
    let context = Context::build(shape(), Tier::best()).unwrap();
    let phases = Mutex::new(Vec::new());
    let look = || {
        let (phase, done, total) = context.progress.read();
        let mut phases = phases.lock().unwrap();
        if phases.last() != Some(&phase) {
            phases.push(phase);
            println!("\nphase {phase}");
        }
        if phase == Phase::Generating as u32 && env::var_os(ASKS).is_some() {
            println!("\nasks at {done} of {total}");
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        false
    };
    let job = Job {
        threads: 1,
        stop: &look,
        progress: &context.progress,
    };
    context.prepare(Place::Directory(directory), &job).unwrap();
    let requests = requests(20);
    let light = hash(&context, Wish::Light, &requests);
    assert_eq!(hash(&context, Wish::Dataset, &requests), light);
    println!("\nprepared");
    if told.is_some() {
        // Keeps the file mapped until the parent has seen enough.
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
}

/// A process that prepares the file in a directory; ended with its value.
struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(directory: &Path, asks: bool) -> Process {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .env_remove(ASKS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if asks {
            command.env(ASKS, "1");
        }
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process {
            child,
            stdin,
            lines,
        }
    }

    /// Reads on until it says something; what it said of phases before.
    fn hear(&mut self, wanted: &str) -> Vec<String> {
        let mut phases = Vec::new();
        loop {
            let line = self.lines.next().expect("it says what is wanted").unwrap();
            if line == wanted {
                return phases;
            }
            phases.extend(line.strip_prefix("phase ").map(str::to_owned));
        }
    }

    fn answer(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
    }

    fn end(mut self) {
        self.answer();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WAITING: &str = "phase 1";
const GENERATING: &str = "phase 3";
const PREPARED: &str = "prepared";

#[test]
fn processes_that_prepare_one_file_together_build_it_once() {
    let scratch = Scratch::new("processes");
    let mut builder = Process::start(&scratch.0, true);
    builder.hear(GENERATING);
    let mut others = [(); 2].map(|()| Process::start(&scratch.0, false));
    for other in &mut others {
        other.hear(WAITING);
    }
    let name = file_name(&shape());
    let dataset = scratch.0.join(&name);
    let rows = 2 * 20_011;
    for part in 0..5 {
        builder.hear(&format!("asks at {} of {rows}", part * 8192));
        assert!(!dataset.exists(), "a file appears when it is complete");
        let lock = File::open(scratch.0.join(format!("{name}.lock"))).unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        builder.answer();
    }
    assert_eq!(builder.hear(PREPARED), [""; 0], "it only built");
    for other in &mut others {
        let checked = ["2"];
        assert_eq!(other.hear(PREPARED), checked, "the others only checked");
    }
    // All of them use it.
    assert_eq!(prune(&scratch.0, 4), Ok(0));
    builder.end();
    others.into_iter().for_each(Process::end);
    assert_eq!(prune(&scratch.0, 4), Ok(1));
    assert_eq!(std::fs::read_dir(&scratch.0).unwrap().count(), 0);
}

#[test]
fn a_process_that_is_killed_while_it_builds_leaves_the_file_to_the_next() {
    let scratch = Scratch::new("killed");
    let mut killed = Process::start(&scratch.0, true);
    killed.hear("asks at 0 of 40022");
    killed.answer();
    killed.hear("asks at 8192 of 40022");
    let mut next = Process::start(&scratch.0, false);
    next.hear(WAITING);
    killed.child.kill().unwrap();
    assert_eq!(next.hear(PREPARED), ["3"], "it builds");
    next.end();
    let name = file_name(&shape());
    let part = scratch.0.join(format!("{name}.part"));
    assert!(!part.exists(), "what the killed one left was used up");
}

#[test]
fn a_file_that_a_process_is_preparing_is_not_removed() {
    let scratch = Scratch::new("pruned");
    let mut first = Process::start(&scratch.0, false);
    first.hear(PREPARED);
    first.end();
    // Damage: the next one builds the file anew, with the old checksums beside it.
    let path = scratch.0.join(file_name(&shape()));
    std::fs::write(&path, b"damage").unwrap();
    let mut second = Process::start(&scratch.0, true);
    second.hear(GENERATING);
    assert_eq!(prune(&scratch.0, 4), Ok(0));
    drop(second);
    assert_eq!(prune(&scratch.0, 4), Ok(1));
}
