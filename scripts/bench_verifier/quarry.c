/*
 * Measures quarry's verifier through its C contract, on thread CPU time.
 *
 * usage: quarry EPOCH [dataset|THREADS]; prints one JSON object of microseconds of CPU per operation and
 * waits for a line on standard input before each round, so that rounds of several programs
 * interleave. With "dataset" it first generates the full dataset in memory and measures over that.
 * With a number it hashes full batches on so many threads for two seconds a round, by wall clock.
 * QUARRY_ETHASH_TIER chooses the instruction set.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "quarry_ethash.h"

enum { BATCH_MAX = 64 };

/* Processor time: of CLOCK_THREAD_CPUTIME_ID or CLOCK_PROCESS_CPUTIME_ID. */
static double micros_of(clockid_t clock) {
    struct timespec used;
    clock_gettime(clock, &used);
    return used.tv_sec * 1e6 + used.tv_nsec / 1e3;
}

static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void must(int32_t status, const char *what) {
    if (status < 0) {
        fprintf(stderr, "%s answered %d\n", what, status);
        exit(1);
    }
}

static void measure(const char *what, uint32_t handle, uint32_t flags, size_t batch) {
    static uint64_t nonce = 0;
    uint8_t records[BATCH_MAX * QUARRY_RECORD_BYTES] = {0};
    uint8_t out[BATCH_MAX * QUARRY_OUTPUT_BYTES];
    double until = wall_seconds() + 0.3, start = micros_of(CLOCK_THREAD_CPUTIME_ID);
    size_t done = 0;
    while (wall_seconds() < until) {
        for (size_t i = 0; i < batch; i++, nonce++) {
            memcpy(records + i * QUARRY_RECORD_BYTES + 32, &nonce, sizeof nonce);
        }
        must(quarry_ethash_verify_batch(handle, flags, records, batch * QUARRY_RECORD_BYTES, out,
                                        batch * QUARRY_OUTPUT_BYTES),
             "verify_batch");
        done += batch;
    }
    printf("{\"what\": \"%s\", \"micros\": %f, \"check\": \"%02x%02x%02x%02x\"}\n", what,
           (micros_of(CLOCK_THREAD_CPUTIME_ID) - start) / done, out[0], out[1], out[2], out[3]);
}

/* A light cache of the same sizes from another seed, so that nothing is shared. */
static void measure_cache(uint32_t epoch, uint32_t round) {
    uint32_t handle;
    double start = micros_of(CLOCK_THREAD_CPUTIME_ID);
    must(quarry_ethash_context_open(0, QUARRY_ALGORITHM_ETHASH, epoch, epoch + 1 + round, &handle),
         "open");
    double micros = micros_of(CLOCK_THREAD_CPUTIME_ID) - start;
    must(quarry_ethash_context_close(handle), "close");
    printf("{\"what\": \"cache\", \"micros\": %f}\n", micros);
}

enum { LINE_BYTES = 64, HUGE_PAGE_BYTES = 2 << 20, HOPS = 1 << 20, SHARE_HOPS = 64 * 257 };

enum { CHAINS = 128, STEPS = 1 << 14, SHARE_READS = 2 * SHARE_HOPS };

/*
 * What the reads of shares that are computed together cost at least: as many chains as a batch of 64
 * has, each line fetched ahead and naming the next one, nothing mixed and nothing hashed.
 */
static void measure_reads(const char *start, uint32_t lines) {
    uint32_t at[CHAINS];
    for (uint32_t i = 0; i < CHAINS; i++) at[i] = (uint64_t)lines * i / CHAINS;
    double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t step = 1; step <= STEPS; step++) {
        for (uint32_t i = 0; i < CHAINS; i++) {
            uint32_t named = *(const volatile uint32_t *)(start + (size_t)at[i] * LINE_BYTES);
            /* The chain's own number keeps two that met from going on together. */
            uint32_t mixed = ((named ^ (step * 0x9e3779b9u)) + i * 0x85ebca6bu) * 0x01000193u;
            at[i] = ((uint64_t)mixed * lines) >> 32;
            __builtin_prefetch(start + (size_t)at[i] * LINE_BYTES, 0, 2);
        }
    }
    double micros =
        (micros_of(CLOCK_THREAD_CPUTIME_ID) - before) / ((double)STEPS * CHAINS) * SHARE_READS;
    printf("{\"what\": \"reads\", \"micros\": %f, \"check\": \"%u\"}\n", micros, at[0]);
}

/*
 * What a lone share's dependent reads cost at least: a walk in random order over as many lines as
 * the cache has, where each line only names the next one.
 */
static void measure_chase(uint32_t lines) {
    size_t bytes = (size_t)lines * LINE_BYTES;
    char *map = mmap(NULL, bytes + HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t *order = malloc(lines * sizeof *order);
    if (map == MAP_FAILED || order == NULL) exit(1);
    char *start = map + (HUGE_PAGE_BYTES - (uintptr_t)map % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
    madvise(start, bytes, MADV_HUGEPAGE);
    uint64_t random = 88172645463325252u;
    for (uint32_t i = 0; i < lines; i++) order[i] = i;
    /* Sattolo's shuffle: one cycle through all lines. */
    for (uint32_t i = lines - 1; i > 0; i--) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint32_t j = random % i, other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
    for (uint32_t i = 0; i < lines; i++) *(uint32_t *)(start + (size_t)i * LINE_BYTES) = order[i];
    uint32_t at = 0;
    double before = micros_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < HOPS; i++) at = *(volatile uint32_t *)(start + (size_t)at * LINE_BYTES);
    double micros = (micros_of(CLOCK_THREAD_CPUTIME_ID) - before) / HOPS * SHARE_HOPS;
    printf("{\"what\": \"chase\", \"micros\": %f, \"check\": \"%u\"}\n", micros, at);
    measure_reads(start, lines);
    free(order);
    munmap(map, bytes + HUGE_PAGE_BYTES);
}

enum { THREADS_MAX = 256 };
static const double SPAN_SECONDS = 2;

struct work {
    pthread_t thread;
    uint32_t handle;
    size_t done;
};

static void *hash_for_a_span(void *argument) {
    struct work *work = argument;
    uint8_t records[BATCH_MAX * QUARRY_RECORD_BYTES] = {0};
    uint8_t out[BATCH_MAX * QUARRY_OUTPUT_BYTES];
    uint64_t nonce = (uint64_t)(uintptr_t)work << 24;
    double until = wall_seconds() + SPAN_SECONDS;
    while (wall_seconds() < until) {
        for (size_t i = 0; i < BATCH_MAX; i++, nonce++) {
            memcpy(records + i * QUARRY_RECORD_BYTES + 32, &nonce, sizeof nonce);
        }
        must(quarry_ethash_verify_batch(work->handle, 0, records, sizeof records, out, sizeof out),
             "verify_batch");
        work->done += BATCH_MAX;
    }
    return NULL;
}

static void measure_threads(uint32_t handle, long threads) {
    static struct work works[THREADS_MAX];
    double start = wall_seconds();
    size_t done = 0;
    for (long i = 0; i < threads; i++) {
        works[i] = (struct work){.handle = handle};
        if (pthread_create(&works[i].thread, NULL, hash_for_a_span, &works[i]) != 0) exit(1);
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(works[i].thread, NULL);
        done += works[i].done;
    }
    printf("{\"what\": \"all threads\", \"micros\": %f}\n", (wall_seconds() - start) * 1e6 / done);
}

int main(int argc, char **argv) {
    uint32_t epoch = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, handle;
    long threads = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    int dataset = argc > 2 && strcmp(argv[2], "dataset") == 0;
    struct quarry_context_info info;
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    must(quarry_ethash_context_open(0, QUARRY_ALGORITHM_ETHASH, epoch, epoch, &handle), "open");
    must(quarry_ethash_context_info(handle, &info), "info");
    printf("{\"what\": \"open\", \"micros\": 0}\n");
    if (dataset) {
        double start = micros_of(CLOCK_PROCESS_CPUTIME_ID);
        must(quarry_ethash_dataset_prepare(handle, NULL, 0, 0), "dataset_prepare");
        printf("{\"what\": \"item\", \"micros\": %f}\n",
               (micros_of(CLOCK_PROCESS_CPUTIME_ID) - start) / info.dataset_items);
    }
    fflush(stdout);
    char line[16];
    for (uint32_t round = 0; fgets(line, sizeof line, stdin) != NULL; round++) {
        if (threads > 0) {
            measure_threads(handle, threads);
        } else if (!dataset) {
            measure_cache(epoch, round);
            measure_chase(info.cache_items);
            measure("light", handle, 0, 1);
            measure("light64", handle, 0, 64);
        } else {
            measure("full", handle, QUARRY_USE_DATASET, 1);
            measure("full32", handle, QUARRY_USE_DATASET, 32);
        }
        printf("{\"what\": \"done\"}\n");
        fflush(stdout);
    }
    return 0;
}
