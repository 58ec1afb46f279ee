/*
 * quarry_ethash: verification of Ethash and its relatives in batches.
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

#define QUARRY_ABI_VERSION 3

/* Status codes: zero and above are answers, below zero are errors. */
enum quarry_status {
    QUARRY_OK = 0,
    QUARRY_NOT_FOUND = 1,          /* the search went through its range without a solution */
    QUARRY_CLAIM_FAILED = 2,       /* the claimed result is above its target: nothing was hashed */
    QUARRY_NULL_POINTER = -1,      /* a required pointer is null */
    QUARRY_INVALID_LENGTH = -2,    /* a length is not as specified or exceeds its bound */
    QUARRY_INVALID_HANDLE = -3,    /* never given out, or closed */
    QUARRY_INVALID_EPOCH = -4,     /* epoch, seed rounds or item counts out of bounds */
    QUARRY_UNSUPPORTED = -5,       /* no such algorithm or flag */
    QUARRY_OUT_OF_MEMORY = -6,     /* the light cache does not fit into memory */
    QUARRY_TOO_MANY_HANDLES = -7,  /* QUARRY_HANDLES_MAX or QUARRY_QUEUES_MAX are open */
    QUARRY_IO = -8,                /* a file could not be read or written */
    QUARRY_INVALID_DATASET = -9,   /* wrong size, magic or content of a dataset file */
    QUARRY_NO_DATASET = -10,       /* QUARRY_USE_DATASET without an attached dataset */
    QUARRY_CLOSED = -11,           /* the handle or queue was closed while the call ran */
    QUARRY_TIER_UNAVAILABLE = -12, /* QUARRY_ETHASH_TIER asks for a tier that is not to be had */
    QUARRY_BUSY = -13,             /* the queue has no room */
    QUARRY_PANIC = -99             /* a bug; the panic was caught */
};

/* Algorithms. Etchash is Ethash with other epochs; Ubqhash is Ethash before its epoch 22. */
#define QUARRY_ALGORITHM_ETHASH 0  /* light cache by keccak-512 */
#define QUARRY_ALGORITHM_UBQHASH 1 /* light cache by BLAKE2b-512 */
#define QUARRY_ALGORITHM_FRKHASH 2 /* two keccaks; no epochs, cache or dataset */

/* Flags, one of them or 0 (pages computed from the light cache). Frkhash has no dataset to use. */
#define QUARRY_USE_DATASET 1    /* pages of the attached dataset, QUARRY_NO_DATASET without one */
#define QUARRY_PREFER_DATASET 2 /* pages of the attached dataset if there is one */

/* Kinds of tasks. */
#define QUARRY_TASK_HASH 0  /* mix and target of the task are not looked at */
#define QUARRY_TASK_CLAIM 1 /* hashed only if the result of the mix digest is not above the target */

/* What is being done about a dataset. */
#define QUARRY_PHASE_IDLE 0
#define QUARRY_PHASE_WAITING 1    /* another process holds the file's lock */
#define QUARRY_PHASE_CHECKING 2   /* a file is compared with its checksums */
#define QUARRY_PHASE_GENERATING 3

/*
 * The processor's best instructions are used. The environment variable QUARRY_ETHASH_TIER, read
 * once, forces others: "portable", "avx2" or "avx512"; what the processor does not have is answered
 * by QUARRY_TIER_UNAVAILABLE.
 */

/* Bounds. */
#define QUARRY_EPOCH_MAX 4095
#define QUARRY_SEED_ROUNDS_MAX 8192
#define QUARRY_HANDLES_MAX 256
#define QUARRY_BATCH_MAX 1024
#define QUARRY_QUEUES_MAX 64
#define QUARRY_CAPACITY_MAX 65536
#define QUARRY_THREADS_MAX 256
#define QUARRY_SEARCH_MAX 16777216
#define QUARRY_PATH_BYTES_MAX 4096
#define QUARRY_MESSAGE_BYTES_MAX 1048576

/* Layouts (bytes). */
#define QUARRY_RECORD_BYTES 40  /* header 32, nonce 8 little-endian */
#define QUARRY_OUTPUT_BYTES 64  /* mix digest 32, result 32, both big-endian numbers */
#define QUARRY_CLAIM_BYTES 72   /* header 32, nonce 8 little-endian, claimed mix digest 32 */
#define QUARRY_TASK_BYTES 112   /* ticket 4, kind 4, nonce 8 (little-endian); header, mix, target */
#define QUARRY_DONE_BYTES 72    /* ticket 4, status 4 (little-endian), mix 32, result 32 */
#define QUARRY_FOUND_BYTES 80   /* nonce 8, nonces tried 8 (little-endian), mix 32, result 32 */

/* QUARRY_ABI_VERSION of the library; callers refuse another one than theirs. */
uint32_t quarry_ethash_abi_version(void);

/*
 * Begins an owner of handles and queues that ends with the calling thread: they are closed then, as
 * if by quarry_ethash_context_close and quarry_ethash_queue_close. For hosts whose threads can be
 * ended from outside.
 */
int32_t quarry_ethash_owner_begin(uint32_t *out_owner);

/* Ends an owner before its thread does. What is being opened for it is closed too. */
int32_t quarry_ethash_owner_end(uint32_t owner);

/*
 * Opens the context of an epoch for an owner (0: nobody, until it is closed) and writes its handle.
 * size_epoch sets the sizes of cache and dataset; seed_rounds is how often 32 zero bytes go through
 * keccak-256: the same number for Ethash, twice the number for Etchash from ECIP-1099 on. Builds
 * the light cache (0.2 to 2 s, 16 MiB and more) unless it is open already anywhere in the process;
 * then it is shared. A handle is never given out twice. Frkhash has size_epoch 0 and seed_rounds 0
 * only.
 */
int32_t quarry_ethash_context_open(uint32_t owner, uint32_t algorithm, uint32_t size_epoch,
                                   uint32_t seed_rounds, uint32_t *out_handle);

/*
 * The same with explicit item counts, at most those of epoch 0: for tests, and for go-ethereum's
 * test mode (16 cache items of 64 bytes, 256 dataset items of 128 bytes).
 */
int32_t quarry_ethash_context_open_sized(uint32_t owner, uint32_t algorithm,
                                         uint32_t cache_items, uint32_t dataset_items,
                                         uint32_t seed_rounds, uint32_t *out_handle);

/*
 * Closes a handle. Calls in flight keep the memory until they end; searches and dataset writing
 * end early with QUARRY_CLOSED. No other call ends them: to abort a generation, close the handle.
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
 * can search for a digest that passes. Frkhash knows the right digest: with another one the result
 * is the largest number.
 */
int32_t quarry_ethash_final_hash(uint32_t algorithm, const uint8_t *header32, uint64_t nonce,
                                 const uint8_t *mix32, uint8_t *out32);

/*
 * The same for 1 to QUARRY_BATCH_MAX claims, eight at a time where the processor can; out_bytes is
 * exactly 32 for each.
 */
int32_t quarry_ethash_final_hash_batch(uint32_t algorithm, const uint8_t *claims,
                                       size_t claims_bytes, uint8_t *out, size_t out_bytes);

/*
 * Hashes 1 to QUARRY_BATCH_MAX records; out_bytes is exactly QUARRY_OUTPUT_BYTES for each. Runs on
 * the calling thread; best in batches of 64.
 */
int32_t quarry_ethash_verify_batch(uint32_t handle, uint32_t flags, const uint8_t *records,
                                   size_t records_bytes, uint8_t *out, size_t out_bytes);

/*
 * Queues: shares are handed over without waiting and hashed by threads of the library, which take
 * whatever waits, of all queues together, up to 64 at a time. A lone share does not wait for others.
 *
 * Opens a queue for an owner (0: nobody, until it is closed) and writes its number, which is never
 * given out twice. It holds at most capacity shares (1 to QUARRY_CAPACITY_MAX), from
 * quarry_ethash_queue_submit until they are taken. From now on at least this many threads hash (0:
 * one per core; at most QUARRY_THREADS_MAX). They stay as long as the process, at a slightly lower
 * priority than the rest of it. The calling thread, the host's event loop, is asked to be given
 * short turns on the processor (Linux from 6.12 on), which it then gets promptly while others hash.
 */
int32_t quarry_ethash_queue_open(uint32_t owner, uint32_t capacity, uint32_t threads,
                                 uint32_t *out_queue);

/*
 * Hands 1 to QUARRY_BATCH_MAX tasks over, all or none (QUARRY_BUSY: no room for all), to be hashed
 * in the context of a handle, which may be closed meanwhile. Copies them and does not wait.
 */
int32_t quarry_ethash_queue_submit(uint32_t queue, uint32_t handle, uint32_t flags,
                                   const uint8_t *tasks, size_t tasks_bytes);

/*
 * Waits until something is done: QUARRY_OK; QUARRY_NOT_FOUND at once when nothing is under way;
 * QUARRY_CLOSED when the queue is closed meanwhile. The only call here that waits; it has no memory
 * of the caller, so that the caller's thread may end during it.
 */
int32_t quarry_ethash_queue_wait(uint32_t queue);

/*
 * Fetches as many answers as there are and fit into out_bytes (1 to QUARRY_BATCH_MAX of them),
 * and writes their number, 0 if nothing is done. Answers come in no particular order. An answer's
 * status is QUARRY_OK; QUARRY_CLAIM_FAILED with the claimed mix digest and its result, which is a
 * filter as in quarry_ethash_final_hash; or an error, with zeros.
 */
int32_t quarry_ethash_queue_take(uint32_t queue, uint8_t *out, size_t out_bytes,
                                 uint32_t *out_count);

/* Answers every share that no thread has begun with QUARRY_CLOSED; what is begun ends as ever. */
int32_t quarry_ethash_queue_drain(uint32_t queue);

/* Closes a queue and forgets its shares: who waits for it is answered QUARRY_CLOSED. */
int32_t quarry_ethash_queue_close(uint32_t queue);

struct quarry_pool_info {
    uint32_t threads; /* that hash for the queues of the process */
    uint32_t idle;    /* of them, with nothing to do */
    uint64_t waiting; /* shares that no thread has begun */
    uint64_t batches; /* hashed since the process began */
    uint64_t hashed;  /* shares in them */
};

int32_t quarry_ethash_pool_info(struct quarry_pool_info *out);

/*
 * Tries 1 to QUARRY_SEARCH_MAX nonces from start_nonce on for a result <= target (big-endian).
 * QUARRY_OK: the lowest solution is in out. QUARRY_NOT_FOUND: only "nonces tried" is set. out_bytes
 * is QUARRY_FOUND_BYTES.
 */
int32_t quarry_ethash_search(uint32_t handle, uint32_t flags, const uint8_t *header32,
                             uint64_t start_nonce, uint32_t count, const uint8_t *target32,
                             uint8_t *out, size_t out_bytes);

/*
 * Attaches the whole dataset of the context, for all who share it, and returns when that is done.
 * With a null directory of 0 bytes it is in memory: generated there, QUARRY_OUT_OF_MEMORY when the
 * system has too little left. Otherwise it is the file directory/full-R23-<first 8 bytes of the seed
 * in hex>, go-ethereum's format: mapped when it is whole by its checksums (<file>.sums), generated
 * first when it is missing, incomplete or damaged. A file appears when complete. Processes that
 * prepare the same file wait for each other (<file>.lock).
 *
 * Generation takes this many threads (0: one per core) of the lowest priority; calls over the light
 * cache go on meanwhile. Returns at once when a dataset is attached already. Ends early with
 * QUARRY_CLOSED when the handle is closed. Paths are UTF-8 without a terminating zero.
 */
int32_t quarry_ethash_dataset_prepare(uint32_t handle, const uint8_t *directory,
                                      size_t directory_bytes, uint32_t threads);

struct quarry_dataset_progress {
    uint32_t phase;    /* QUARRY_PHASE_ */
    uint32_t attached; /* 0 or 1 */
    uint64_t done;     /* rows of 64 bytes done in this phase */
    uint64_t total;    /* rows of 64 bytes of this phase */
};

/* How far the context's dataset is; for polling while another thread prepares it. */
int32_t quarry_ethash_dataset_progress(uint32_t handle, struct quarry_dataset_progress *out);

/* Lets go of the context's dataset; its memory goes when the last call over it ends. */
int32_t quarry_ethash_dataset_detach(uint32_t handle);

/*
 * Removes the dataset files of directory whose seeds have fewer than seed_rounds rounds, with what
 * lies beside them, and writes how many. Files without checksums are not this library's and stay;
 * files that any process has mapped or prepares through this library stay.
 */
int32_t quarry_ethash_dataset_prune(const uint8_t *directory, size_t directory_bytes,
                                    uint32_t seed_rounds, uint32_t *out_removed);

/* Generates the file as quarry_ethash_dataset_prepare does, always, and does not attach it. */
int32_t quarry_ethash_dataset_write(uint32_t handle, const uint8_t *directory,
                                    size_t directory_bytes, uint32_t threads);

/*
 * Writes a sparse file of the name, size and magic of that epoch's dataset without its content, so
 * that a node does not generate it. It must never be mined or verified with.
 */
int32_t quarry_ethash_dataset_write_dummy(uint32_t algorithm, uint32_t size_epoch,
                                          uint32_t seed_rounds, const uint8_t *directory,
                                          size_t directory_bytes);

/*
 * Maps a dataset file and attaches it to the context for all who share it. Size, magic and a spread
 * of pages are checked, checksums are not needed. A mapped file may be renamed, replaced by renaming
 * or deleted; it must not be truncated or written to: the system would kill the process (SIGBUS) or
 * hashes would be wrong. This library never does that to a file of its own, and holds a shared
 * flock(2) on every file that it has mapped, by which others can see that it is in use.
 */
int32_t quarry_ethash_dataset_attach(uint32_t handle, const uint8_t *path, size_t path_bytes);

#ifdef __cplusplus
}
#endif

#endif
