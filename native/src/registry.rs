//! Contexts of the whole process, shared by key and handed out as numbers.
//!
//! Several threads of the host load this library and ask for the same epoch: the first builds, the
//! others wait for it and share it. A handle is a number that is never given out twice, so that a
//! freed one is answered with a code instead of touching freed memory; calls in flight hold the
//! context until they end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};

use crate::context::Context;
use crate::epoch::Shape;
use crate::owners;
use crate::status::Status;
use crate::tier::Tier;

/// The most handles open at a time, over all threads of the host.
pub const HANDLES_MAX: usize = 256;

/// What a call works with: the context, and whether its handle has been closed meanwhile.
#[derive(Clone)]
pub struct Lease {
    /// The shared context.
    pub context: Arc<Context>,
    owner: u32,
    closed: Arc<AtomicBool>,
}

impl Lease {
    /// Whether the handle was closed since the call began.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

/// One entry per shape; its lock is held while the context is built.
type Slot = Arc<Mutex<Weak<Context>>>;

#[derive(Default)]
struct Registry {
    slots: HashMap<Shape, Slot>,
    leases: HashMap<u32, Lease>,
    last_handle: u32,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// No code of ours panics with the lock held halfway through a change, so poison is no news.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// Opens the context of a shape for an owner, building it unless somebody has it open.
pub fn open(shape: Shape, owner: u32) -> Result<u32, Status> {
    if !owners::is_living(owner) {
        return Err(Status::InvalidHandle);
    }
    let tier = Tier::chosen()?;
    let slot = {
        let mut registry = lock(&REGISTRY);
        registry.check_room()?;
        registry.slots.entry(shape).or_default().clone()
    };
    let built = {
        let mut slot = lock(&slot);
        match slot.upgrade() {
            Some(context) => Ok(context),
            None => Context::build(shape, tier).map(|context| {
                let context = Arc::new(context);
                *slot = Arc::downgrade(&context);
                context
            }),
        }
    };
    drop(slot);
    let mut registry = lock(&REGISTRY);
    let handle = built.and_then(|context| registry.insert(context, owner));
    registry.prune();
    drop(registry);
    // An owner that ended meanwhile did not see this handle.
    if let Ok(handle) = handle
        && !owners::is_living(owner)
    {
        let _ = close(handle);
        return Err(Status::Closed);
    }
    handle
}

/// Closes all handles of an owner.
pub(crate) fn close_all_of(owner: u32) {
    let handles: Vec<u32> = {
        let registry = lock(&REGISTRY);
        let owned = registry
            .leases
            .iter()
            .filter(|(_, lease)| lease.owner == owner);
        owned.map(|(handle, _)| *handle).collect()
    };
    for handle in handles {
        // Closed by somebody else meanwhile: just as well.
        let _ = close(handle);
    }
}

/// How many handles are open.
pub fn open_handles() -> usize {
    lock(&REGISTRY).leases.len()
}

/// The context behind a handle.
pub fn lease(handle: u32) -> Result<Lease, Status> {
    lock(&REGISTRY)
        .leases
        .get(&handle)
        .cloned()
        .ok_or(Status::InvalidHandle)
}

/// Closes a handle; long calls in flight on it end early with [`Status::Closed`].
pub fn close(handle: u32) -> Result<(), Status> {
    // The lease, and with it perhaps the last reference to the memory, is dropped after the lock.
    let lease = {
        let mut registry = lock(&REGISTRY);
        registry
            .leases
            .remove(&handle)
            .ok_or(Status::InvalidHandle)?
    };
    lease.closed.store(true, Ordering::Relaxed);
    drop(lease);
    lock(&REGISTRY).prune();
    Ok(())
}

impl Registry {
    fn check_room(&self) -> Result<(), Status> {
        if self.leases.len() < HANDLES_MAX {
            Ok(())
        } else {
            Err(Status::TooManyHandles)
        }
    }

    fn insert(&mut self, context: Arc<Context>, owner: u32) -> Result<u32, Status> {
        self.check_room()?;
        let handle = self
            .last_handle
            .checked_add(1)
            .ok_or(Status::TooManyHandles)?;
        self.last_handle = handle;
        self.leases.insert(
            handle,
            Lease {
                context,
                owner,
                closed: Arc::default(),
            },
        );
        Ok(handle)
    }

    /// Forgets shapes that nobody has open and nobody is building.
    fn prune(&mut self) {
        self.slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|weak| weak.strong_count() > 0)
        });
    }
}
