//! Verification of Ethash and its relatives in batches.
//!
//! A share is checked by computing its hash from the *light cache* of its epoch: 64 accesses to a
//! dataset of gigabytes, each recomputed from 512 random lines of a cache of 16 to 70 MiB. One
//! share is a chain of dependent reads and waits for memory nearly all the time; 64 shares at once
//! are 128 independent chains, and the same memory serves them some twenty times as fast. So
//! everything here works on batches, and a lone share is a batch of one.
//!
//! Read in this order: [`algorithm`] (which there are), [`epoch`] (sizes and seeds), [`cache`] (the
//! light cache), `items` (dataset items, where the time goes), [`hashimoto`] (the hash itself),
//! [`dataset`] with [`dataset_file`] and [`generate`] (the whole dataset, in memory or in a file),
//! [`context`] (all of it for one epoch), [`search`] (for miners), [`registry`] and
//! [`owners`] (who shares what, and until when), [`queue`] and [`pool`] (shares hashed off the
//! caller's threads), [`ffi`] (the border). Unsafe code is confined to `mem.rs`, `system.rs`,
//! `tier.rs`, `avx2.rs`, `avx512.rs`, `pointers.rs` and the border.
//!
//! Which height uses which epoch is a network rule and is not known here.
#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod algorithm;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod cache;
pub mod context;
pub mod dataset;
pub mod dataset_file;
pub mod epoch;
pub mod ethash;
pub mod ffi;
pub mod ffi_dataset;
pub mod ffi_queue;
pub mod frkhash;
pub mod generate;
pub mod hashimoto;
mod items;
mod keccak;
pub mod mem;
pub mod owners;
mod pointers;
pub mod pool;
pub mod queue;
pub mod registry;
pub mod row;
pub mod search;
pub mod status;
mod system;
pub mod tier;
pub mod ubqhash;
