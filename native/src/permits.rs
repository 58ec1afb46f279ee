//! As many batches at a time as there are cores; further calls wait here for their turn.
//!
//! A caller may so hand over the next batch before a core is free: it starts at the moment that
//! another one ends, instead of after a round trip to the caller, and never takes a part of a core
//! from those that run.

use std::sync::{Condvar, LazyLock, Mutex};

static FREE: LazyLock<(Mutex<usize>, Condvar)> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (Mutex::new(cores), Condvar::new())
});

/// The right to use a core, until dropped.
pub(crate) struct Permit(());

/// Waits for a core.
pub(crate) fn acquire() -> Permit {
    let (free, freed) = &*FREE;
    let some = free.lock().unwrap_or_else(|poison| poison.into_inner());
    let waited = freed.wait_while(some, |count| *count == 0);
    *waited.unwrap_or_else(|poison| poison.into_inner()) -= 1;
    Permit(())
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (free, freed) = &*FREE;
        *free.lock().unwrap_or_else(|poison| poison.into_inner()) += 1;
        freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_than_the_cores_run_at_a_time_and_all_get_their_turn() {
        let cores = std::thread::available_parallelism().unwrap().get();
        let (running, most, done) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        std::thread::scope(|scope| {
            for _ in 0..4 * cores {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _permit = acquire();
                        most.fetch_max(
                            1 + running.fetch_add(1, Ordering::SeqCst),
                            Ordering::SeqCst,
                        );
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 200 * cores);
        assert!(most.into_inner() <= cores);
    }
}
