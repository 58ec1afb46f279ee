//! The one table of status codes, mirrored in `include/quarry_ethash.h` and `ethash/status.ts`.

macro_rules! status_table {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// What a call of the C ABI answers: zero and above are answers, below zero are errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub enum Status {
            $($(#[$doc])* $variant = $code,)*
        }

        /// Every status with its name in the C header, for the tests that compare the tables.
        pub const STATUS_TABLE: &[(&str, i32)] = &[$(($name, $code),)*];
    };
}

status_table! {
    /// Done.
    Ok = 0, "OK";
    /// A search went through its whole range without a solution.
    NotFound = 1, "NOT_FOUND";
    /// The result of a claimed mix digest is above its target, so nothing was hashed.
    ClaimFailed = 2, "CLAIM_FAILED";
    /// A required pointer is null.
    NullPointer = -1, "NULL_POINTER";
    /// A length is not what the contract says, or exceeds its bound.
    InvalidLength = -2, "INVALID_LENGTH";
    /// The handle was never given out or has been closed.
    InvalidHandle = -3, "INVALID_HANDLE";
    /// The epoch, the seed rounds or an item count is out of bounds.
    InvalidEpoch = -4, "INVALID_EPOCH";
    /// No such algorithm or flag.
    Unsupported = -5, "UNSUPPORTED";
    /// The light cache does not fit into memory.
    OutOfMemory = -6, "OUT_OF_MEMORY";
    /// Too many contexts or queues are open.
    TooManyHandles = -7, "TOO_MANY_HANDLES";
    /// A file could not be read or written.
    Io = -8, "IO";
    /// A dataset file has the wrong size, magic or content.
    InvalidDataset = -9, "INVALID_DATASET";
    /// The call asks for a dataset and the context has none.
    NoDataset = -10, "NO_DATASET";
    /// The context or queue was closed while the call ran.
    Closed = -11, "CLOSED";
    /// `QUARRY_ETHASH_TIER` names a tier that does not exist or that the processor does not have.
    TierUnavailable = -12, "TIER_UNAVAILABLE";
    /// The queue has no room.
    Busy = -13, "BUSY";
    /// A bug: the call panicked and the panic was caught at the border.
    Panic = -99, "PANIC";
}
