//! A million random calls of the C border: wrong lengths, nulls, absurd epochs, freed handles.
//!
//! Every call answers with a known code, none with a caught panic, and right calls still get right
//! answers in between. Seeded: a failure prints the seed and comes again with QUARRY_ABUSE_SEED.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

#[path = "common/random.rs"]
#[allow(unreachable_pub)]
mod random;

use std::collections::BTreeMap;
use std::ptr::{null, null_mut};

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
use quarry_ethash::ffi_queue::*;
use quarry_ethash::status::{STATUS_TABLE, Status};
use random::Random;

const CALLS: u32 = 1_000_000;

struct Driver {
    random: Random,
    handles: Vec<u32>,
    queues: Vec<u32>,
    /// Statuses of answers that were fetched.
    answered: BTreeMap<i32, u32>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Driver {
    /// A handle that is open, was closed or never was.
    fn handle(&mut self) -> u32 {
        match self.random.below(5) {
            0 => self.random.number(),
            _ => self.random.pick(&self.handles),
        }
    }

    /// A queue that is open, was closed or never was.
    fn queue(&mut self) -> u32 {
        match self.random.below(5) {
            0 => self.random.number(),
            _ => self.random.pick(&self.queues),
        }
    }

    fn input(&mut self) -> *const u8 {
        match self.random.below(12) {
            0 => null(),
            // Any alignment: the first bytes are skipped.
            _ => self.input[self.random.below(8) as usize..].as_ptr(),
        }
    }

    fn output(&mut self) -> *mut u8 {
        let skipped = self.random.below(8) as usize;
        match self.random.below(12) {
            0 => null_mut(),
            _ => self.output[skipped..].as_mut_ptr(),
        }
    }

    fn call(&mut self) -> i32 {
        let (handle, input, output) = (self.handle(), self.input(), self.output());
        let (a, b, c) = (
            self.random.number(),
            self.random.number(),
            self.random.number(),
        );
        let other = self.input();
        match self.random.below(400) {
            0..4 => self.open(),
            4..8 => quarry_ethash_context_close(handle),
            // Shares over a light cache cost a thousand times as much as all the rest.
            8..10 => self.verify(handle, a, input, output),
            10..11 => unsafe {
                quarry_ethash_search(handle, a % 4, input, 7, b % 3, other, output, 80)
            },
            11..12 => unsafe { quarry_ethash_dataset_prepare(handle, null(), 0, 1) },
            12..14 => self.open_queue(),
            14..15 => quarry_ethash_queue_close(self.queue()),
            15..16 => quarry_ethash_queue_drain(self.queue()),
            16..40 => self.submit(handle, a),
            40..70 => self.take(output),
            // Never blocks for long: what is under way is answered, whatever happens to its context.
            70..75 => quarry_ethash_queue_wait(self.queue()),
            75..80 => unsafe { quarry_ethash_pool_info(output.cast()) },
            80..85 => quarry_ethash_dataset_detach(handle),
            85..100 => unsafe { quarry_ethash_context_info(handle, output.cast()) },
            100..140 => unsafe { quarry_ethash_dataset_progress(handle, output.cast()) },
            140..200 => {
                let lengths = [
                    (0, 0),
                    (72, 32),
                    (144, 64),
                    (72, 64),
                    (71, 32),
                    (usize::MAX, 32),
                ];
                let (length, room) = self.random.pick(&lengths);
                unsafe { quarry_ethash_final_hash_batch(a % 4, input, length, output, room) }
            }
            200..240 => unsafe { quarry_ethash_final_hash(a % 4, input, 9, other, output) },
            240..280 => unsafe { quarry_ethash_keccak256(input, (a % 300) as usize, output) },
            280..300 => unsafe { quarry_ethash_keccak256(input, usize::MAX - a as usize, output) },
            300..320 => {
                let rounds = self.random.pick(&[0, 1, 2, 8193, u32::MAX]);
                unsafe { quarry_ethash_seed_hash(rounds, output) }
            }
            320..340 => self.open_absurd(b, c),
            340..360 => unsafe { quarry_ethash_dataset_attach(handle, input, (b % 40) as usize) },
            360..370 => unsafe { quarry_ethash_dataset_prepare(handle, input, 5000, a) },
            370..380 => unsafe { quarry_ethash_dataset_write(handle, input, 0, a) },
            380..390 => unsafe { quarry_ethash_dataset_prune(input, 0, a, output.cast()) },
            _ => unsafe { quarry_ethash_dataset_write_dummy(a, b, c, null(), 4) },
        }
    }

    fn open(&mut self) -> i32 {
        let mut handle = 0;
        let (algorithm, rounds) = (self.random.below(2) as u32, self.random.below(3) as u32);
        let code = match self.random.below(3) {
            0 => unsafe { quarry_ethash_context_open(0, 2, 0, 0, &mut handle) },
            _ => unsafe {
                quarry_ethash_context_open_sized(0, algorithm, 7, 13, rounds, &mut handle)
            },
        };
        if code == 0 {
            assert!(!self.handles.contains(&handle), "a handle came back");
            self.handles.push(handle);
        }
        if self.handles.len() > 24 {
            let oldest = self.handles.remove(0);
            quarry_ethash_context_close(oldest);
        }
        code
    }

    fn open_queue(&mut self) -> i32 {
        let mut queue = 0;
        let capacity = self.random.pick(&[0, 1, 5, 50, 65_536, 65_537]);
        let threads = self.random.pick(&[0, 1, 2, 257, u32::MAX]);
        let code = unsafe { quarry_ethash_queue_open(0, capacity, threads, &mut queue) };
        if code == 0 {
            assert!(!self.queues.contains(&queue), "a queue came back");
            self.queues.push(queue);
        }
        if self.queues.len() > 24 {
            let oldest = self.queues.remove(0);
            quarry_ethash_queue_close(oldest);
        }
        code
    }

    fn submit(&mut self, handle: u32, flags: u32) -> i32 {
        let queue = self.queue();
        let skipped = self.random.below(8) as usize;
        let count = self.random.pick(&[0, 1, 2, 3, 50]);
        let length = count * TASK_BYTES + usize::from(self.random.below(8) == 0);
        let mut tasks = self.input[skipped..][..length].to_vec();
        for task in tasks.as_chunks_mut::<TASK_BYTES>().0 {
            let kind = self.random.pick(&[0, 0, 0, 1, 1, 2]) & self.random.next() as u32;
            task[4..8].copy_from_slice(&kind.to_le_bytes());
        }
        let start = match self.random.below(12) {
            0 => null(),
            _ => tasks.as_ptr(),
        };
        unsafe { quarry_ethash_queue_submit(queue, handle, flags % 5, start, length) }
    }

    fn take(&mut self, output: *mut u8) -> i32 {
        let (queue, mut count) = (self.queue(), 0);
        let length = self.random.pick(&[72, 144, 216, 216, 71, 0, usize::MAX]);
        let code = unsafe { quarry_ethash_queue_take(queue, output, length, &mut count) };
        for i in 0..count as usize {
            let status = unsafe { output.add(i * 72 + 4).cast::<i32>().read_unaligned() };
            *self.answered.entry(status).or_default() += 1;
        }
        code
    }

    fn open_absurd(&mut self, b: u32, c: u32) -> i32 {
        let mut handle = 0;
        // Epochs that are served would take a second to build.
        let epoch = self.random.pick(&[4096, 5000, u32::MAX]);
        let code = match self.random.below(3) {
            0 => unsafe { quarry_ethash_context_open(0, b, epoch, c, &mut handle) },
            1 => unsafe { quarry_ethash_context_open_sized(0, 2, 1, 1, c, &mut handle) },
            _ => unsafe { quarry_ethash_context_open_sized(0, 0, epoch << 20, b, c, null_mut()) },
        };
        assert!(code < 0 && handle == 0);
        code
    }

    fn verify(&mut self, handle: u32, flags: u32, input: *const u8, output: *mut u8) -> i32 {
        let sizes = [
            (40, 64),
            (80, 128),
            (40, 63),
            (39, 64),
            (0, 0),
            (usize::MAX, 64),
        ];
        let (length, room) = self.random.pick(&sizes);
        unsafe { quarry_ethash_verify_batch(handle, flags % 5, input, length, output, room) }
    }
}

#[test]
fn a_million_random_calls_get_codes_and_never_a_panic() {
    let seed = std::env::var("QUARRY_ABUSE_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(0x0051_a44e);
    println!("seed {seed}");
    let mut random = Random(seed);
    let input = (0..6000).map(|_| random.next() as u8).collect();
    let mut driver = Driver {
        random,
        handles: vec![0],
        queues: vec![0],
        answered: BTreeMap::new(),
        input,
        output: vec![0; 256],
    };
    let known: BTreeMap<i32, &str> = STATUS_TABLE
        .iter()
        .map(|&(name, code)| (code, name))
        .collect();
    let mut seen: BTreeMap<i32, u32> = BTreeMap::new();
    let expected = right_answer();
    for i in 0..CALLS {
        let code = driver.call();
        assert!(
            known.contains_key(&code) && code != Status::Panic as i32,
            "call {i}: {code}"
        );
        *seen.entry(code).or_default() += 1;
        if i % 100_000 == 0 {
            assert_eq!(right_answer(), expected, "after call {i}");
        }
    }
    let names = |codes: &BTreeMap<i32, u32>| -> Vec<&str> {
        codes.keys().map(|code| known[code]).collect()
    };
    println!("{seen:?}, answers {:?}", driver.answered);
    for name in [
        "OK",
        "NOT_FOUND",
        "NULL_POINTER",
        "INVALID_LENGTH",
        "INVALID_HANDLE",
        "INVALID_EPOCH",
        "UNSUPPORTED",
        "NO_DATASET",
        "BUSY",
    ] {
        assert!(names(&seen).contains(&name), "{name}: {seen:?}");
    }
    let answered = names(&driver.answered);
    for name in ["OK", "CLAIM_FAILED"] {
        assert!(answered.contains(&name), "{name}: {answered:?}");
    }
    assert!(!answered.contains(&"PANIC"));
}

fn right_answer() -> [u8; 64] {
    let (mut handle, mut out) = (0, [0; 64]);
    unsafe {
        assert_eq!(
            quarry_ethash_context_open_sized(0, 0, 7, 13, 1, &mut handle),
            0
        );
        let records = [5u8; 40];
        assert_eq!(
            quarry_ethash_verify_batch(handle, 0, records.as_ptr(), 40, out.as_mut_ptr(), 64),
            0
        );
    }
    assert_eq!(quarry_ethash_context_close(handle), 0);
    out
}
