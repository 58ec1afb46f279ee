/** What this machine has for the verifier: instructions, memory, huge pages, room for datasets. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { createNode, networkByChainId, networkOf } from "../../modules/chain/mod.ts";
import type { Config } from "../../modules/config/mod.ts";
import { epochOf } from "../../modules/ethash/mod.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("machine");
const GIB = 2 ** 30;
/** A dataset's size at epoch 0 and its growth with each (Ethash specification, appendix). */
const DATASET_BYTES = 2 ** 30;
const DATASET_GROWTH = 2 ** 23;
/** Memory of a process with miners, beside datasets. */
const BASE_BYTES = GIB;

/**
 * What only a shell may read: Deno gives nobody /proc or /sys without all rights, so that
 * `scripts/quarry` hands these on. Undefined when it did not.
 */
export interface ShellFacts {
  /** `ulimit -n`. */
  files?: string;
  /** Content of /sys/kernel/mm/transparent_hugepage/enabled. */
  hugePages?: string;
  /** Flags of the first processor in /proc/cpuinfo. */
  cpu?: string;
}

/** Reads what the shell handed on. */
export function shellFacts(env: (name: string) => string | undefined): ShellFacts {
  const [files, hugePages, cpu] = ["QUARRY_FILES", "QUARRY_HUGE_PAGES", "QUARRY_CPU"].map(env);
  return { ...(files && { files }), ...(hugePages && { hugePages }), ...(cpu && { cpu }) };
}

/** Judges processor and huge pages. Pure. */
export function judgeProcessor({ cpu, hugePages }: ShellFacts): Check[] {
  const checks: Check[] = [];
  const how = "run it by scripts/quarry, or look at /proc/cpuinfo yourself";
  if (cpu === undefined) checks.push(note("the processor's instructions are not known", how));
  else {
    const has = new Set(cpu.split(/\s+/));
    const all = (...names: string[]) => names.every((name) => has.has(name));
    const avx512 = all("avx512f", "avx512vl", "avx512dq");
    if (avx512 || all("avx2", "bmi1", "bmi2")) {
      checks.push(ok(`the verifier uses ${avx512 ? "AVX-512" : "AVX2"}`));
    } else {
      const mend = "a virtual machine may hide it: pass the host's processor through";
      checks.push(note("the processor has no AVX2: shares are verified at half the speed", mend));
    }
  }
  const chosen = /\[(\w+)\]/.exec(hugePages ?? "")?.[1];
  if (chosen === "never") {
    checks.push(note(
      "transparent huge pages are off: shares are verified more slowly",
      "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (also at boot)",
    ));
  } else if (chosen !== undefined) checks.push(ok(`transparent huge pages: ${chosen}`));
  return checks;
}

/** Judges the limit of file handles. Pure. */
export function judgeFiles({ files }: ShellFacts, maxConn: number, beside: number): Check {
  const wanted = 2 * maxConn + beside;
  if (files === undefined) {
    return note(
      `the limit of file handles is not known, proxy.stratum.maxConn of ${maxConn} wants ${wanted}`,
      "run it by scripts/quarry, or compare with ulimit -n",
    );
  }
  const limit = files === "unlimited" ? Infinity : Number(files);
  if (limit >= wanted) return ok(`${files} file handles, ${wanted} are wanted at most`);
  return fail(
    `${files} file handles, proxy.stratum.maxConn of ${maxConn} wants ${wanted}`,
    `ulimit -n ${wanted}, or LimitNOFILE=${wanted} in the unit`,
  );
}

/** Memory, and room on the disk for what is made there. */
export async function spaceChecks(config: Config): Promise<Check[]> {
  const { verifier, proxy } = config;
  if (!proxy.enabled && !proxy.stratum.enabled) return [];
  const checks: Check[] = [];
  const datasetBytes = verifier.dag === "off" ? 0 : await datasetOf(config);
  if (datasetBytes === undefined) {
    checks.push(note("the dataset's size is not known while no node answers", "look again then"));
  }
  // This epoch's and the next one's.
  const wanted = 2 * (datasetBytes ?? 0);
  const memory = attempt(() => Deno.systemMemoryInfo());
  const need = BASE_BYTES + (verifier.dag === "memory" ? wanted : 0);
  if (memory === undefined) checks.push(note("free memory is not known", "look at it by free -h"));
  else {
    const text = `${gib(memory.available)} of memory are free, ${gib(need)} are wanted`;
    checks.push(
      memory.available >= need
        ? ok(text)
        : fail(text, 'let verifier.dag be "off" or "file", or add memory'),
    );
  }
  const folder = verifier.dag === "file" ? verifier.dir : config.dataDir;
  const free = await freeBytes(folder);
  if (free === undefined) {
    checks.push(note(`free space at ${folder} is not known`, "look at it by df -h"));
  } else {
    const least = GIB + (verifier.dag === "file" ? wanted : 0);
    const text = `${gib(free)} are free at ${folder}, ${gib(least)} are wanted`;
    checks.push(free >= least ? ok(text) : fail(text, "make room, or name another folder"));
  }
  return checks;
}

async function datasetOf({ upstreams, network }: Config): Promise<number | undefined> {
  for (const { name, url } of upstreams) {
    try {
      const node = createNode({ name, url, timeoutMs: 5_000 });
      const known = network === undefined
        ? networkByChainId(await node.chainId())
        : networkOf(network);
      const height = await node.blockNumber();
      const { epoch } = epochOf(known?.pow ?? { algorithm: "ethash" }, height);
      return DATASET_BYTES + epoch * DATASET_GROWTH;
    } catch { /* the next one */ }
  }
  return undefined;
}

/** Of the folder, or of the first one above it that exists. */
async function freeBytes(folder: string): Promise<number | undefined> {
  for (let path = folder;; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path);
      return Number(bavail) * Number(bsize);
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT" || path === dirname(path)) {
        return undefined;
      }
    }
  }
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
