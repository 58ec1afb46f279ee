//! `QUARRY_ETHASH_TIER`, which is read once for a process: every case is a process of its own.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks)]

use std::process::Command;

use quarry_ethash::ffi::{quarry_ethash_context_close, quarry_ethash_context_open_sized};
use quarry_ethash::ffi::{quarry_ethash_final_hash, quarry_ethash_verify_batch};
use quarry_ethash::status::Status;
use quarry_ethash::tier::{TIER_VARIABLE, Tier};

/// Runs one test of this file in a process with a forced tier; what it printed after "said:".
fn in_process(test: &str, tier: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    match tier {
        Some(tier) => command.env(TIER_VARIABLE, tier),
        None => command.env_remove(TIER_VARIABLE),
    };
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find_map(|line| line.split_once("said: "));
    said.expect("the child says something").1.to_owned()
}

/// Runs by itself with the processor's own tier, and as the child of the tests below with a forced one.
#[test]
fn child() {
    let mut handle = 0;
    let opened = unsafe { quarry_ethash_context_open_sized(0, 0, 1021, 4093, 3, &mut handle) };
    let mut out = [0u8; 640];
    let records = [7u8; 400];
    let hashed = unsafe {
        let (records, out) = (records.as_ptr(), out.as_mut_ptr());
        quarry_ethash_verify_batch(handle, 0, records, 400, out, 640)
    };
    let mut result = [0u8; 32];
    let filtered = unsafe {
        let (header, mix) = (records.as_ptr(), out.as_ptr());
        quarry_ethash_final_hash(0, header, 0x0707_0707_0707_0707, mix, result.as_mut_ptr())
    };
    let closed = quarry_ethash_context_close(handle);
    let name = Tier::chosen().map(Tier::name);
    let same = result == out[32..64];
    let tier_is_there = Tier::chosen().is_ok();
    assert_eq!(tier_is_there, opened == 0 && hashed == 0 && filtered == 0);
    assert!(same || !tier_is_there);
    println!(
        "\nsaid: {name:?} {opened} {hashed} {filtered} {closed} {same} {:02x?}",
        &out[..8]
    );
}

#[test]
fn every_tier_of_this_processor_can_be_forced_and_hashes_the_same() {
    let best = in_process("child", None);
    assert_eq!(best, in_process("child", Some("")), "empty means unset");
    let (_, output) = best.split_once(") ").unwrap();
    assert!(output.starts_with("0 0 0 0 true "), "{output}");
    assert!(best.contains(Tier::best().name()));
    for tier in Tier::available() {
        let expected = format!("Ok({:?}) {output}", tier.name());
        assert_eq!(in_process("child", Some(tier.name())), expected);
    }
}

#[test]
fn a_tier_that_is_not_to_be_had_is_refused_with_a_code() {
    let (unavailable, invalid) = (Status::TierUnavailable as i32, Status::InvalidHandle as i32);
    for tier in ["avx1024", "AVX2", "0"] {
        let said = in_process("child", Some(tier));
        let codes = format!("{unavailable} {invalid} {unavailable} {invalid}");
        assert!(
            said.starts_with(&format!("Err(TierUnavailable) {codes} ")),
            "{said}"
        );
    }
}
