//! Ethash and Etchash verification in batches.
//!
//! A share is checked by computing its hash from the *light cache* of its epoch: 64 accesses to a
//! dataset of gigabytes, each recomputed from 512 random lines of a cache of 16 to 70 MiB. One
//! share is a chain of dependent reads and waits for memory nearly all the time; 64 shares at once
//! are 128 independent chains, and the same memory serves them some twenty times as fast. So
//! everything here works on batches, and a lone share is a batch of one.
//!
//! Read in this order: [`epoch`] (sizes and seeds), [`cache`] (the light cache), `items` (dataset
//! items, where the time goes), [`hashimoto`] (the hash itself), [`dataset`] (the same with the
//! whole dataset in a file), [`search`] (for miners), [`registry`] (who shares what), [`ffi`] (the
//! border). Unsafe code is confined to `mem.rs`, `tier.rs`,
//! `wide.rs`, `pointers.rs` and `ffi.rs`.
//!
//! Which height uses which epoch is a network rule and is not known here.
#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod cache;
pub mod dataset;
pub mod epoch;
pub mod ffi;
pub mod hashimoto;
mod items;
mod keccak;
pub mod mem;
mod pointers;
pub mod registry;
pub mod row;
pub mod search;
pub mod status;
pub mod tier;
#[cfg(target_arch = "x86_64")]
mod wide;
