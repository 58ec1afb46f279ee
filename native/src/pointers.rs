//! The caller's pointers: checked, turned into slices and values, and written to.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::status::Status;

/// Runs a call of the border: its status as a code, a panic as one too.
pub(crate) fn guard(call: impl FnOnce() -> Result<Status, Status>) -> i32 {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(status) | Err(status)) => status as i32,
        Err(_) => Status::Panic as i32,
    }
}

/// Bytes of the caller.
///
/// # Safety
/// `start` is null or points to `length` readable bytes that nobody changes during `'a`.
pub(crate) unsafe fn input<'a>(
    start: *const u8,
    length: usize,
    most: usize,
) -> Result<&'a [u8], Status> {
    if start.is_null() {
        return Err(Status::NullPointer);
    }
    if length > most {
        return Err(Status::InvalidLength);
    }
    // SAFETY: the caller promises `length` readable bytes; bytes have no alignment.
    Ok(unsafe { std::slice::from_raw_parts(start, length) })
}

/// Exactly 32 bytes of the caller.
///
/// # Safety
/// `start` is null or points to 32 readable bytes.
pub(crate) unsafe fn input32(start: *const u8) -> Result<[u8; 32], Status> {
    // SAFETY: as promised by the caller.
    unsafe { input(start, 32, 32) }?
        .try_into()
        .map_err(|_| Status::InvalidLength)
}

/// Copies bytes out to the caller.
///
/// # Safety
/// `start` is null or points to `bytes.len()` writable bytes.
pub(crate) unsafe fn output(start: *mut u8, bytes: &[u8]) -> Result<(), Status> {
    if start.is_null() {
        return Err(Status::NullPointer);
    }
    // SAFETY: the caller promises room for the bytes; our own slice cannot overlap its buffer.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
    Ok(())
}

/// Writes one value to the caller.
///
/// # Safety
/// `place` is null or points to writable memory of the type's size, of any alignment.
pub(crate) unsafe fn output_value<T>(place: *mut T, value: T) -> Result<(), Status> {
    if place.is_null() {
        return Err(Status::NullPointer);
    }
    // SAFETY: as promised by the caller.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// A path of UTF-8 bytes.
pub(crate) fn path_of(bytes: &[u8]) -> Result<&Path, Status> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.contains('\0') => Ok(Path::new(text)),
        _ => Err(Status::InvalidLength),
    }
}
