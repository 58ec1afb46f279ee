/** The pool of this configuration itself: its file, its page, its loops, and whether it runs. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { askAdmin, UnreachableError } from "../../modules/api/mod.ts";
import { errorText, silentLogger } from "../../modules/base/mod.ts";
import { type Config, plain, stateDir, type Warning } from "../../modules/config/mod.ts";
import { createKeys, openStore, readPayoutsPause, readStatus } from "../../modules/ledger/mod.ts";
import { VERSION } from "../version.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("pool");
const PAGE = fileURLToPath(new URL("../../frontend/dist", import.meta.url));

/** Looks at all of it. */
export async function poolChecks(
  config: Config,
  warnings: readonly Warning[] = [],
): Promise<Check[]> {
  return [
    ...warnings.map(({ path, message }) =>
      note(`${path}: ${message}`, "config/README.md says what the key means")
    ),
    ...(warnings.length === 0 ? [ok("the configuration has no warnings")] : []),
    ...await pageChecks(config),
    ...await journalChecks(config),
    ...await runningChecks(config),
    ...await loopChecks(config),
  ];
}

async function pageChecks({ api }: Config): Promise<Check[]> {
  if (!api.enabled || api.purgeOnly) return [];
  const folder = api.static ?? PAGE;
  const built = await Deno.stat(`${folder}/index.html`).then(() => true, () => false);
  if (built) return [ok(`the page is in ${folder}`)];
  const mend = api.static === undefined ? "deno task frontend" : "correct api.static";
  return [note(`there is no page in ${folder}: the API alone is served`, mend)];
}

/** What waits in the journals, and whether they can be read: a torn last line is none. */
async function journalChecks(config: Config): Promise<Check[]> {
  const dir = stateDir(config);
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (name.endsWith(".journal")) names.push(name);
    }
  } catch {
    return [ok(`no journal yet in ${dir}`)];
  }
  const checks: Check[] = [];
  for (const name of names.sort()) checks.push(await oneJournal(`${dir}/${name}`, name));
  return checks;
}

async function oneJournal(path: string, name: string): Promise<Check> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    return fail(
      `${name} cannot be read: ${errorText(error)}`,
      "let the pool's user own it, or run the doctor as that user",
    );
  }
  const lines = text.split("\n").slice(0, -1);
  const open = new Set<unknown>();
  for (const [i, line] of lines.entries()) {
    try {
      const entry = JSON.parse(line);
      if (entry.done !== undefined) open.delete(entry.done);
      else if (entry.id !== undefined) open.add(entry.id);
    } catch {
      return fail(
        `${name} is damaged in line ${i + 1}: the pool will not start`,
        "keep a copy, then restore the file from a backup; look at the disk",
      );
    }
  }
  if (name.startsWith("payments")) return ok(`${name}: ${lines.length} lines`);
  if (open.size === 0) return ok(`${name}: nothing waits for Redis`);
  return note(
    `${name}: ${open.size} batches of shares wait for Redis`,
    "normal for a moment while the pool runs; else start it, it settles them",
  );
}

/** What the running pool says of itself; that none runs is well. */
async function runningChecks({ api: { adminSocket } }: Config): Promise<Check[]> {
  if (adminSocket === undefined) {
    return [note("no operator's socket", "name one in api.adminSocket")];
  }
  const folder = await Deno.stat(dirname(adminSocket)).catch(() => undefined);
  const mode = (folder?.mode ?? 0) & 0o777;
  if ((mode & 0o077) !== 0) {
    return [fail(
      `others can enter ${dirname(adminSocket)} (mode ${
        mode.toString(8)
      }): no socket is opened there`,
      `chmod 700 ${dirname(adminSocket)}`,
    )];
  }
  // deno-lint-ignore no-explicit-any -- as the pool's `status` command has it
  let status: any;
  try {
    status = await askAdmin(adminSocket, { user: "doctor", request: { command: "status" } });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const denied = error.cause instanceof Deno.errors.PermissionDenied;
    return denied
      ? [note(errorText(error), "then the doctor sees more")]
      : [ok("no pool of this configuration runs here")];
  }
  const checks = [ok(`it runs as process ${status.pid}: ${status.parts.join(", ")}`)];
  if (status.version !== VERSION) {
    const mend = "restart it when it suits";
    checks.push(note(`it runs version ${status.version}, installed is ${VERSION}`, mend));
  }
  const { mining, service } = status;
  if (mining?.draining) checks.push(note("it takes no new miners: it drains", "restart it"));
  else if (mining !== undefined && !mining.ready) {
    checks.push(fail(`mining is not ready: ${mining.reason}`, "look at the pool's log"));
  }
  checks.push(
    service?.watchdogMs === undefined
      ? note("nobody starts it again when it hangs", "run it by the units in config/systemd")
      : ok(`its service manager's watchdog waits ${service.watchdogMs / 1000} s`),
  );
  return checks;
}

/** What the money loops last said, wherever they run. */
async function loopChecks(config: Config): Promise<Check[]> {
  const store = await openStore(plain(config.redis), { log: silentLogger }).catch(() => undefined);
  if (store === undefined) return [note("the loops' state is not known", "let Redis be there")];
  try {
    const deps = { store, keys: createKeys(config.coin) };
    const checks: Check[] = [];
    for (const [role, { state, reason, mend }] of Object.entries(await readStatus(deps))) {
      if (state === "halted") checks.push(fail(`the ${role} has halted: ${reason}`, mend));
      else if (state === "retrying") {
        checks.push(note(`the ${role} tries again: ${reason}`, mend || "look at its log"));
      } else checks.push(ok(`the ${role} last said: ${reason || state}`));
    }
    const pause = await readPayoutsPause(deps);
    if (pause !== undefined) {
      const why = pause.reason === "" ? "" : ` (${pause.reason})`;
      const mend = "quarry admin CONFIG payouts resume";
      checks.push(note(`payments are paused by ${pause.who}${why}`, mend));
    }
    return checks;
  } finally {
    await store.close();
  }
}
