//! A million random calls of the C border: wrong lengths, nulls, absurd epochs, freed handles.
//!
//! Every call answers with a known code, none with a caught panic, and right calls still get right
//! answers in between. Seeded: a failure prints the seed and comes again with QUARRY_ABUSE_SEED.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

use std::collections::BTreeMap;
use std::ptr::{null, null_mut};

use quarry_ethash::ffi::*;
use quarry_ethash::ffi_dataset::*;
use quarry_ethash::status::{STATUS_TABLE, Status};

const CALLS: u32 = 1_000_000;

/// Steele, Lea and Flood's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.below(some.len() as u64) as usize]
    }

    /// Mostly small numbers, sometimes the edges.
    fn number(&mut self) -> u32 {
        match self.below(4) {
            0 => self.pick(&[0, 1, u32::MAX, 1 << 31, 4095, 4096, 8192, 8193]),
            _ => self.below(20) as u32,
        }
    }
}

struct Driver {
    random: Random,
    handles: Vec<u32>,
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
            12..60 => quarry_ethash_dataset_detach(handle),
            60..100 => unsafe { quarry_ethash_context_info(handle, output.cast()) },
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
    let names: Vec<&str> = seen.keys().map(|code| known[code]).collect();
    let reached = [
        "OK",
        "NOT_FOUND",
        "NULL_POINTER",
        "INVALID_LENGTH",
        "INVALID_HANDLE",
    ];
    for name in reached
        .into_iter()
        .chain(["INVALID_EPOCH", "UNSUPPORTED", "NO_DATASET"])
    {
        assert!(names.contains(&name), "{name} was never seen: {names:?}");
    }
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
