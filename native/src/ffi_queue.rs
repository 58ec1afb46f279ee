//! The border of queues; its contract is `include/quarry_ethash.h`.
#![allow(unsafe_code)]

use crate::ffi::{BATCH_MAX, wish_of};
use crate::hashimoto::Request;
use crate::pointers::{guard, input, output, output_value};
use crate::pool::{self, PoolInfo};
use crate::queue::{self, Claim, Task};
use crate::status::Status;

/// Ticket (4), kind (4), nonce (8), all little-endian; header (32), mix digest (32), target (32).
pub const TASK_BYTES: usize = 112;
/// Ticket (4), status (4), little-endian; mix digest (32), result (32).
pub const DONE_BYTES: usize = 72;
/// Kind of a task: to be hashed; mix digest and target are not looked at.
pub const TASK_HASH: u32 = 0;
/// Kind of a task: hashed only if the claimed mix digest's result is not above the target.
pub const TASK_CLAIM: u32 = 1;

/// Opens a queue; see the header.
///
/// # Safety
/// `out_queue` is null or points to a writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_queue_open(
    owner: u32,
    capacity: u32,
    threads: u32,
    out_queue: *mut u32,
) -> i32 {
    guard(|| {
        if out_queue.is_null() {
            return Err(Status::NullPointer);
        }
        let queue = queue::open(owner, capacity as usize, threads as usize)?;
        // SAFETY: as promised by the caller.
        unsafe { output_value(out_queue, queue) }?;
        Ok(Status::Ok)
    })
}

/// Hands tasks over; see the header.
///
/// # Safety
/// `tasks` is null or points to `tasks_bytes` readable bytes that nobody changes during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_queue_submit(
    queue: u32,
    handle: u32,
    flags: u32,
    tasks: *const u8,
    tasks_bytes: usize,
) -> i32 {
    guard(|| {
        let wish = wish_of(flags)?;
        // SAFETY: as promised by the caller.
        let bytes = unsafe { input(tasks, tasks_bytes, BATCH_MAX * TASK_BYTES) }?;
        let (tasks, rest) = bytes.as_chunks::<TASK_BYTES>();
        if !rest.is_empty() || tasks.is_empty() {
            return Err(Status::InvalidLength);
        }
        let tasks: Result<Vec<Task>, Status> = tasks.iter().map(task_of).collect();
        queue::find(queue)?.submit(handle, wish, &tasks?)?;
        Ok(Status::Ok)
    })
}

fn task_of(bytes: &[u8; TASK_BYTES]) -> Result<Task, Status> {
    fn part<const N: usize>(bytes: &[u8; TASK_BYTES], start: usize) -> [u8; N] {
        let part = bytes[start..].first_chunk();
        *part.expect("every part lies within a task")
    }
    let claim = match u32::from_le_bytes(part(bytes, 4)) {
        TASK_HASH => None,
        TASK_CLAIM => Some(Claim {
            mix: part(bytes, 48),
            target: part(bytes, 80),
        }),
        _ => return Err(Status::Unsupported),
    };
    Ok(Task {
        ticket: u32::from_le_bytes(part(bytes, 0)),
        request: Request {
            header: part(bytes, 16),
            nonce: u64::from_le_bytes(part(bytes, 8)),
        },
        claim,
    })
}

/// Waits for something done; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_queue_wait(queue: u32) -> i32 {
    guard(|| queue::find(queue)?.wait())
}

/// Fetches what is done; see the header.
///
/// # Safety
/// `out` is null or points to `out_bytes` writable bytes, `out_count` is null or points to a
/// writable u32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_queue_take(
    queue: u32,
    out: *mut u8,
    out_bytes: usize,
    out_count: *mut u32,
) -> i32 {
    guard(|| {
        if out.is_null() || out_count.is_null() {
            return Err(Status::NullPointer);
        }
        let most = out_bytes / DONE_BYTES;
        if most == 0 || most > BATCH_MAX || !out_bytes.is_multiple_of(DONE_BYTES) {
            return Err(Status::InvalidLength);
        }
        let taken = queue::find(queue)?.take(most);
        let mut bytes = Vec::with_capacity(taken.len() * DONE_BYTES);
        for done in &taken {
            bytes.extend_from_slice(&done.ticket.to_le_bytes());
            bytes.extend_from_slice(&(done.status as i32).to_le_bytes());
            bytes.extend_from_slice(&done.output.mix);
            bytes.extend_from_slice(&done.output.result);
        }
        // SAFETY: as promised by the caller; at most `out_bytes` were collected.
        unsafe { output(out, &bytes) }?;
        // SAFETY: as promised by the caller.
        unsafe { output_value(out_count, taken.len() as u32) }?;
        Ok(Status::Ok)
    })
}

/// Gives up what no thread has begun; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_queue_drain(queue: u32) -> i32 {
    guard(|| {
        queue::find(queue)?.drain();
        Ok(Status::Ok)
    })
}

/// Closes a queue; see the header.
#[unsafe(no_mangle)]
pub extern "C" fn quarry_ethash_queue_close(queue: u32) -> i32 {
    guard(|| queue::close(queue).map(|()| Status::Ok))
}

/// Tells the numbers of the process's hashing threads; see the header.
///
/// # Safety
/// `out` is null or points to writable memory of the struct's size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn quarry_ethash_pool_info(out: *mut PoolInfo) -> i32 {
    guard(|| {
        // SAFETY: as promised by the caller.
        unsafe { output_value(out, pool::info()) }?;
        Ok(Status::Ok)
    })
}
