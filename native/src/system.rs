//! What the operating system is asked for besides memory: priority, and how much memory is left.
#![allow(unsafe_code)]

/// The lowest ordinary priority: generation takes what nobody else wants.
#[cfg(all(target_os = "linux", not(miri)))]
const NICE: libc::c_int = 19;

/// Gives the calling thread the lowest priority; where that is not possible it keeps its own.
pub(crate) fn lower_priority() {
    // On Linux "process 0" is the calling thread alone; elsewhere it would be the whole process.
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: no pointers; a refusal only costs politeness, so the result is not looked at.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICE);
    }
}

/// Bytes that could be used without swapping, where the system says so.
pub(crate) fn available_memory_bytes() -> Option<u64> {
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

    #[test]
    fn only_the_calling_thread_gets_the_low_priority() {
        let lowered = std::thread::spawn(|| {
            lower_priority();
            nice_of_this_thread()
        });
        assert_eq!(lowered.join().unwrap(), i64::from(NICE));
        assert!(nice_of_this_thread() < i64::from(NICE));
    }

    /// Field 19 of the thread's stat, counted after the name in parentheses.
    fn nice_of_this_thread() -> i64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').nth(16).unwrap().parse().unwrap()
    }

    #[test]
    fn some_memory_is_available() {
        assert!(available_memory_bytes().unwrap() > 1 << 20);
    }
}
