/*
 * quarry_ethash: Ethash and Etchash verification in batches.
 *
 * The contract between the Rust library and its callers. Every function may be called from any
 * thread at any time. Functions that return int32_t answer one of the status codes below; output is
 * written only when the answer is zero or above. A panic inside is caught and answered as
 * QUARRY_PANIC. No function keeps a pointer after it returned. Pointers need no alignment.
 */
#ifndef QUARRY_ETHASH_H
#define QUARRY_ETHASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUARRY_ABI_VERSION 1

/* Status codes: zero and above are answers, below zero are errors. */
enum quarry_status {
    QUARRY_OK = 0,
    QUARRY_NOT_FOUND = 1,          /* the search went through its range without a solution */
    QUARRY_NULL_POINTER = -1,      /* a required pointer is null */
    QUARRY_INVALID_LENGTH = -2,    /* a length is not as specified or exceeds its bound */
    QUARRY_INVALID_HANDLE = -3,    /* never given out, or closed */
    QUARRY_INVALID_EPOCH = -4,     /* epoch, seed rounds or item counts out of bounds */
    QUARRY_UNSUPPORTED = -5,       /* no such algorithm or flag */
    QUARRY_OUT_OF_MEMORY = -6,     /* the light cache does not fit into memory */
    QUARRY_TOO_MANY_HANDLES = -7,  /* QUARRY_HANDLES_MAX are open */
    QUARRY_IO = -8,                /* a file could not be read or written */
    QUARRY_INVALID_DATASET = -9,   /* wrong size, magic or content of a dataset file */
    QUARRY_NO_DATASET = -10,       /* QUARRY_USE_DATASET without an attached dataset */
    QUARRY_CLOSED = -11,           /* the handle was closed while the call ran */
    QUARRY_PANIC = -99             /* a bug; the panic was caught */
};

/* Algorithms by how the light cache is made. Etchash is Ethash with other epochs. */
#define QUARRY_ALGORITHM_ETHASH 0

/* Flags: take pages from the attached dataset instead of computing them. */
#define QUARRY_USE_DATASET 1

/* Bounds. */
#define QUARRY_EPOCH_MAX 4095
#define QUARRY_SEED_ROUNDS_MAX 8192
#define QUARRY_HANDLES_MAX 256
#define QUARRY_BATCH_MAX 1024
#define QUARRY_SEARCH_MAX 16777216
#define QUARRY_PATH_BYTES_MAX 4096
#define QUARRY_MESSAGE_BYTES_MAX 1048576

/* Layouts (bytes). */
#define QUARRY_RECORD_BYTES 40  /* header 32, nonce 8 little-endian */
#define QUARRY_OUTPUT_BYTES 64  /* mix digest 32, result 32, both big-endian numbers */
#define QUARRY_FOUND_BYTES 80   /* nonce 8, nonces tried 8 (little-endian), mix 32, result 32 */

/* QUARRY_ABI_VERSION of the library; callers refuse another one than theirs. */
uint32_t quarry_ethash_abi_version(void);

/*
 * Opens the context of an epoch and writes its handle. size_epoch sets the sizes of cache and
 * dataset; seed_rounds is how often 32 zero bytes go through keccak-256: the same number for
 * Ethash, twice the number for Etchash from ECIP-1099 on. Builds the light cache (0.2 to 2 s, 16
 * MiB and more) unless it is open already anywhere in the process; then it is shared. A handle is
 * never given out twice.
 */
int32_t quarry_ethash_context_open(uint32_t algorithm, uint32_t size_epoch, uint32_t seed_rounds,
                                   uint32_t *out_handle);

/*
 * The same with explicit item counts, at most those of epoch 0: for tests, and for go-ethereum's
 * test mode (16 cache items of 64 bytes, 256 dataset items of 128 bytes).
 */
int32_t quarry_ethash_context_open_sized(uint32_t cache_items, uint32_t dataset_items,
                                         uint32_t seed_rounds, uint32_t *out_handle);

/*
 * Closes a handle. Calls in flight keep the memory until they end; searches and dataset writing
 * end early with QUARRY_CLOSED.
 */
int32_t quarry_ethash_context_close(uint32_t handle);

struct quarry_context_info {
    uint32_t cache_items;   /* of 64 bytes */
    uint32_t dataset_items; /* of 128 bytes */
    uint32_t seed_rounds;
    uint32_t has_dataset;   /* 0 or 1 */
};

int32_t quarry_ethash_context_info(uint32_t handle, struct quarry_context_info *out);

/* 32 zero bytes through seed_rounds rounds of keccak-256. */
int32_t quarry_ethash_seed_hash(uint32_t seed_rounds, uint8_t *out32);

/* keccak-256 (original padding) of at most QUARRY_MESSAGE_BYTES_MAX bytes. */
int32_t quarry_ethash_keccak256(const uint8_t *message, size_t length, uint8_t *out32);

/*
 * The result that belongs to a claimed mix digest, for two keccaks. A filter, not a proof: anyone
 * can search for a digest that passes.
 */
int32_t quarry_ethash_final_hash(const uint8_t *header32, uint64_t nonce, const uint8_t *mix32,
                                 uint8_t *out32);

/*
 * Hashes 1 to QUARRY_BATCH_MAX records; out_bytes is exactly QUARRY_OUTPUT_BYTES for each. Runs on
 * the calling thread; best in batches of 64.
 */
int32_t quarry_ethash_verify_batch(uint32_t handle, uint32_t flags, const uint8_t *records,
                                   size_t records_bytes, uint8_t *out, size_t out_bytes);

/*
 * Tries 1 to QUARRY_SEARCH_MAX nonces from start_nonce on for a result <= target (big-endian).
 * QUARRY_OK: the lowest solution is in out. QUARRY_NOT_FOUND: only "nonces tried" is set. out_bytes
 * is QUARRY_FOUND_BYTES.
 */
int32_t quarry_ethash_search(uint32_t handle, uint32_t flags, const uint8_t *header32,
                             uint64_t start_nonce, uint32_t count, const uint8_t *target32,
                             uint8_t *out, size_t out_bytes);

/*
 * Generates the context's dataset as directory/full-R23-<first 8 bytes of the seed in hex>, the
 * file of go-ethereum, with this many threads (0: one per core). The file appears when complete.
 * Paths are UTF-8 without a terminating zero.
 */
int32_t quarry_ethash_dataset_write(uint32_t handle, const uint8_t *directory,
                                    size_t directory_bytes, uint32_t threads);

/*
 * Writes a sparse file of the name, size and magic of that epoch's dataset without its content, so
 * that a node does not generate it. It must never be mined or verified with.
 */
int32_t quarry_ethash_dataset_write_dummy(uint32_t size_epoch, uint32_t seed_rounds,
                                          const uint8_t *directory, size_t directory_bytes);

/*
 * Maps a dataset file and attaches it to the context for QUARRY_USE_DATASET, for all who share the
 * context. Size, magic and a spread of items are checked. The file may be renamed or deleted while
 * it is mapped; it must not be truncated or written to (the process would be killed or hash wrong).
 */
int32_t quarry_ethash_dataset_attach(uint32_t handle, const uint8_t *path, size_t path_bytes);

#ifdef __cplusplus
}
#endif

#endif
