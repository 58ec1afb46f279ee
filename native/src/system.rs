//! What the operating system is asked for besides memory: priority, and how much memory is left.
#![allow(unsafe_code)]

/// The lowest ordinary priority: generation takes what nobody else wants.
const NICE_LOWEST: i32 = 19;
/// Behind whoever answers miners, not behind the rest of the machine: a third of an ordinary share.
const NICE_TO_OTHERS: i32 = 5;
/// The shortest turn that the system gives.
const SHORT_TURN_NS: u64 = 100_000;
/// The system's own choice of a turn.
const ORDINARY_TURN_NS: u64 = 0;

/// Gives the calling thread the lowest priority; where that is not possible it keeps its own.
pub(crate) fn lower_priority() {
    set_nice(NICE_LOWEST);
    set_turn(ORDINARY_TURN_NS);
}

/// Lets other threads of this machine go first when they wake up, at the price of some of the
/// calling thread's share where all of the processor is wanted.
pub(crate) fn yield_to_others() {
    set_nice(NICE_TO_OTHERS);
    // Who started this thread may have short turns, and threads inherit them.
    set_turn(ORDINARY_TURN_NS);
}

/// Asks for short turns on the processor for the calling thread, which then gets its turn at once
/// when it wakes up; its share stays the same. Linux from 6.12 on knows this, others ignore it.
pub(crate) fn take_short_turns() {
    set_turn(SHORT_TURN_NS);
}

#[cfg(all(target_os = "linux", not(miri)))]
fn set_nice(nice: i32) {
    // On Linux "process 0" is the calling thread alone; elsewhere it would be the whole process.
    // SAFETY: no pointers; a refusal only costs politeness, so the result is not looked at.
    unsafe {
        // A host that runs behind others already stays there.
        let nice = nice.max(libc::getpriority(libc::PRIO_PROCESS, 0));
        libc::setpriority(libc::PRIO_PROCESS, 0, nice);
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn set_turn(turn_ns: u64) {
    let mut attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        // Whoever runs the host by other rules wants them to stay.
        flags: libc::SCHED_FLAG_KEEP_POLICY as u64,
        turn_ns,
        ..Attributes::default()
    };
    let (this_thread, no_flags) = (0, 0);
    // SAFETY: the system reads `size` bytes, which are those of the structure; a refusal only costs
    // promptness, so the result is not looked at.
    unsafe {
        attributes.nice = libc::getpriority(libc::PRIO_PROCESS, 0);
        let attributes = &raw const attributes;
        libc::syscall(libc::SYS_sched_setattr, this_thread, attributes, no_flags);
    }
}

/// The first version of the system's `struct sched_attr`; see sched_setattr(2).
#[cfg(all(target_os = "linux", not(miri)))]
#[repr(C)]
#[derive(Debug, Default, PartialEq)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    turn_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn set_nice(_nice: i32) {}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn set_turn(_turn_ns: u64) {}

/// Bytes that could be used without swapping, where the system says so.
pub(crate) fn available_memory_bytes() -> Option<u64> {
    if cfg!(miri) {
        return None;
    }
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use super::*;

    /// The scheduling of the calling thread; turns are zero where the system does not know them.
    fn attributes() -> Attributes {
        let mut attributes = Attributes::default();
        let (this_thread, no_flags) = (0, 0);
        let size = size_of::<Attributes>();
        // SAFETY: the system writes at most `size` bytes to the structure.
        let code = unsafe {
            let attributes = &raw mut attributes;
            libc::syscall(
                libc::SYS_sched_getattr,
                this_thread,
                attributes,
                size,
                no_flags,
            )
        };
        assert_eq!(code, 0);
        attributes
    }

    #[test]
    fn only_the_calling_thread_gets_the_low_priority() {
        let before = attributes();
        let lowered = |lower: fn()| {
            let thread = std::thread::spawn(move || {
                lower();
                attributes()
            });
            thread.join().unwrap()
        };
        for (lower, nice) in [
            (lower_priority as fn(), NICE_LOWEST),
            (yield_to_others, NICE_TO_OTHERS),
        ] {
            let nice = nice.max(before.nice);
            assert_eq!(lowered(lower), Attributes { nice, ..before });
        }
        assert_eq!(attributes(), before);
    }

    #[test]
    fn a_thread_with_short_turns_keeps_all_else_and_hands_them_on_to_no_hashing_thread() {
        let before = attributes();
        let knows_turns = before.turn_ns > 0;
        let thread = std::thread::spawn(|| {
            take_short_turns();
            let hashing = std::thread::spawn(|| {
                yield_to_others();
                attributes()
            });
            (attributes(), hashing.join().unwrap())
        });
        let (short, hashing) = thread.join().unwrap();
        let turn_ns = if knows_turns { SHORT_TURN_NS } else { 0 };
        assert_eq!(short, Attributes { turn_ns, ..before });
        let nice = NICE_TO_OTHERS.max(before.nice);
        assert_eq!(hashing, Attributes { nice, ..before });
    }

    #[test]
    fn some_memory_is_available() {
        assert!(available_memory_bytes().unwrap() > 1 << 20);
    }
}
