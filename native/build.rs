//! Keeps the library mapped after the last dlclose.
//!
//! Calls run on pool threads of the host; unmapping code under a thread that still has to run its
//! exit handlers would crash the process, and the shared contexts would be lost between openers.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
