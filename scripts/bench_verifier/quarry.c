/*
 * Measures quarry's verifier through its C contract, on thread CPU time.
 *
 * usage: quarry EPOCH [dataset]; prints one JSON object of microseconds of CPU per operation and
 * waits for a line on standard input before each round, so that rounds of several programs
 * interleave. With "dataset" it first generates the full dataset in memory and measures over that.
 * QUARRY_ETHASH_TIER chooses the instruction set.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "quarry_ethash.h"

enum { BATCH_MAX = 64 };

static double micros_of(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
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
    double until = wall_seconds() + 0.3, start = micros_of(RUSAGE_THREAD);
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
           (micros_of(RUSAGE_THREAD) - start) / done, out[0], out[1], out[2], out[3]);
}

int main(int argc, char **argv) {
    uint32_t epoch = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, handle;
    int dataset = argc > 2 && strcmp(argv[2], "dataset") == 0;
    double start = micros_of(RUSAGE_SELF);
    must(quarry_ethash_context_open(0, QUARRY_ALGORITHM_ETHASH, epoch, epoch, &handle), "open");
    printf("{\"what\": \"cache\", \"micros\": %f}\n", micros_of(RUSAGE_SELF) - start);
    if (dataset) {
        struct quarry_context_info info;
        must(quarry_ethash_context_info(handle, &info), "info");
        start = micros_of(RUSAGE_SELF);
        must(quarry_ethash_dataset_prepare(handle, NULL, 0, 0), "dataset_prepare");
        printf("{\"what\": \"item\", \"micros\": %f}\n",
               (micros_of(RUSAGE_SELF) - start) / info.dataset_items);
    }
    fflush(stdout);
    char line[16];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!dataset) {
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
