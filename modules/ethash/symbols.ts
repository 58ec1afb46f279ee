/** The C interface of native/include/quarry_ethash.h as Deno.dlopen wants it. */

const PREFIX = "quarry_ethash_";

/** Every function of the header, as Deno.dlopen wants it. */
export const SYMBOLS = {
  abiVersion: { name: `${PREFIX}abi_version`, parameters: [], result: "u32" },
  seedHash: { name: `${PREFIX}seed_hash`, parameters: ["u32", "buffer"], result: "i32" },
  keccak256: {
    name: `${PREFIX}keccak256`,
    parameters: ["buffer", "usize", "buffer"],
    result: "i32",
  },
  ownerBegin: { name: `${PREFIX}owner_begin`, parameters: ["buffer"], result: "i32" },
  ownerEnd: { name: `${PREFIX}owner_end`, parameters: ["u32"], result: "i32" },
  contextOpen: {
    name: `${PREFIX}context_open`,
    parameters: ["u32", "u32", "u32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  contextOpenSized: {
    name: `${PREFIX}context_open_sized`,
    parameters: ["u32", "u32", "u32", "u32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  contextClose: { name: `${PREFIX}context_close`, parameters: ["u32"], result: "i32" },
  contextInfo: { name: `${PREFIX}context_info`, parameters: ["u32", "buffer"], result: "i32" },
  verifyBatch: {
    name: `${PREFIX}verify_batch`,
    parameters: ["u32", "u32", "buffer", "usize", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  queueOpen: {
    name: `${PREFIX}queue_open`,
    parameters: ["u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  queueSubmit: {
    name: `${PREFIX}queue_submit`,
    parameters: ["u32", "u32", "u32", "buffer", "usize"],
    result: "i32",
  },
  queueWait: {
    name: `${PREFIX}queue_wait`,
    parameters: ["u32"],
    result: "i32",
    nonblocking: true,
  },
  queueTake: {
    name: `${PREFIX}queue_take`,
    parameters: ["u32", "buffer", "usize", "buffer"],
    result: "i32",
  },
  queueDrain: { name: `${PREFIX}queue_drain`, parameters: ["u32"], result: "i32" },
  queueClose: { name: `${PREFIX}queue_close`, parameters: ["u32"], result: "i32" },
  poolInfo: { name: `${PREFIX}pool_info`, parameters: ["buffer"], result: "i32" },
  search: {
    name: `${PREFIX}search`,
    parameters: ["u32", "u32", "buffer", "u64", "u32", "buffer", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  datasetPrepare: {
    name: `${PREFIX}dataset_prepare`,
    parameters: ["u32", "buffer", "usize", "u32"],
    result: "i32",
    nonblocking: true,
  },
  datasetProgress: {
    name: `${PREFIX}dataset_progress`,
    parameters: ["u32", "buffer"],
    result: "i32",
  },
  datasetDetach: { name: `${PREFIX}dataset_detach`, parameters: ["u32"], result: "i32" },
  datasetPrune: {
    name: `${PREFIX}dataset_prune`,
    parameters: ["buffer", "usize", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  datasetWrite: {
    name: `${PREFIX}dataset_write`,
    parameters: ["u32", "buffer", "usize", "u32"],
    result: "i32",
    nonblocking: true,
  },
  datasetWriteDummy: {
    name: `${PREFIX}dataset_write_dummy`,
    parameters: ["u32", "u32", "u32", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  datasetAttach: {
    name: `${PREFIX}dataset_attach`,
    parameters: ["u32", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;
