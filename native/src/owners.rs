//! Owners of handles: threads of the host, with whose end their handles are closed.
//!
//! A Deno worker that is terminated closes nothing. It runs on a thread of its own, though, and an
//! owner is a value of that thread: when the thread ends, the value's destructor closes what the
//! owner still has open. (The library stays mapped after the last dlclose, see build.rs.)

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use crate::queue;
use crate::registry;
use crate::status::Status;

/// The owner of handles that only a call of close closes.
pub const NOBODY: u32 = 0;

/// The owners that live. Locked before the registry, never the other way round.
static LIVING: LazyLock<Mutex<(HashSet<u32>, u32)>> = LazyLock::new(Mutex::default);

thread_local! {
    static OWNED_HERE: RefCell<Vec<Owner>> = const { RefCell::new(Vec::new()) };
}

/// Lives in a thread's storage; its end is the owner's.
struct Owner(u32);

impl Drop for Owner {
    fn drop(&mut self) {
        end(self.0);
    }
}

/// A new owner that ends with the calling thread.
pub fn begin() -> Result<u32, Status> {
    let id = {
        let mut living = LIVING.lock().unwrap_or_else(|poison| poison.into_inner());
        let id = living.1.checked_add(1).ok_or(Status::TooManyHandles)?;
        living.1 = id;
        living.0.insert(id);
        id
    };
    let kept = OWNED_HERE.try_with(|owners| owners.borrow_mut().push(Owner(id)));
    // The thread is past its destructors: the owner, dropped with the closure, has ended already.
    kept.map_err(|_| Status::Closed)?;
    Ok(id)
}

/// Ends an owner: closes its handles; those that are being opened are closed when they are open.
pub fn end(id: u32) {
    let was_living = {
        let mut living = LIVING.lock().unwrap_or_else(|poison| poison.into_inner());
        living.0.remove(&id)
    };
    if was_living {
        queue::close_all_of(id);
        registry::close_all_of(id);
    }
}

/// Whether an owner lives, or is nobody.
pub(crate) fn is_living(id: u32) -> bool {
    let living = LIVING.lock().unwrap_or_else(|poison| poison.into_inner());
    id == NOBODY || living.0.contains(&id)
}
