/**
 * Asks and tells a running pool, over the socket that its configuration names.
 *
 *   deno task admin CONFIG COMMAND ... [--json]
 *
 * Run it as the pool's own user, or as root. Exit code 0 when it was done, 1 when the pool refused
 * or could not be asked, 2 for wrong usage.
 */
import { errorText, systemClock } from "../modules/base/mod.ts";
import { askAdmin } from "../modules/api/mod.ts";
import { loadConfig } from "../modules/config/mod.ts";
import { readArguments, UsageError, type Wanted } from "./admin/arguments.ts";
import { linesOf } from "./admin/render.ts";

const USAGE = `Usage: deno task admin CONFIG COMMAND ... [--json]

  status                                    the pool, its nodes, money and loops
  sessions [--login L] [--ip A] [--limit N] connected miners, the newest first
  drop SESSION | --login L | --ip A         ends sessions
  bans                                      banned addresses
  ban ADDRESS [--minutes N] [--reason TEXT] an address may not connect
  unban ADDRESS
  jobs [--limit N]                          jobs of late, and what shares they brought
  round [--limit N]                         the current round: shares by login, effort
  payouts pause [--reason TEXT]             nothing new is paid until "payouts resume"
  payouts resume
  unlock now | pay now                      the next pass or run begins now
  drain [--within MINUTES] [--keep]         no new miners; ends the pool when the last one has gone
  reload                                    reads the configuration again, as SIGHUP does
  log LEVEL                                 debug, info, warn or error
  log [--limit N]                           what was changed by hand, and by whom`;
/** Pause between two looks at a pool that drains (milliseconds). */
const LOOK_MS = 1_000;

/** Where lines go. */
type Out = (text: string) => void;

/** How one pool is asked. */
type Ask = (request: Record<string, unknown>) => Promise<unknown>;

/** Runs a command; gives its exit code. */
export async function main(args: readonly string[], out: Out = toStdout): Promise<number> {
  const print = printer(out);
  const [path, ...rest] = args;
  if (path === "--help" || path === "help" || rest[0] === "--help") return print([USAGE], 0);
  if (path === undefined || path.startsWith("-") || rest.length === 0) return print([USAGE], 2);
  let wanted: Wanted;
  try {
    wanted = readArguments(rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return print([`${error.message}.`, "", USAGE], 2);
  }
  try {
    return await carryOut(wanted, asker(path), print);
  } catch (error) {
    return print([errorText(error)], 1);
  }
}

/** Drains the pool of a configuration, with a line whenever its sessions change, and ends it. */
export async function drain(path: string, withinMs: number, keep: boolean): Promise<number> {
  const print = printer(toStdout);
  try {
    return await drainPool(asker(path), { withinMs, keep, json: false }, print);
  } catch (error) {
    return print([errorText(error)], 1);
  }
}

function asker(path: string): Ask {
  const { adminSocket } = loadConfig(path).config.api;
  if (adminSocket === undefined) {
    throw new Error(`${path} has no operator's socket: name one in api.adminSocket`);
  }
  // Over sudo the one who asks, else the user; the pool's own where there is no other name.
  const user = ["SUDO_USER", "USER", "LOGNAME"].map((name) => Deno.env.get(name))
    .find((name) => name !== undefined && name !== "") ?? "";
  return (request) => askAdmin(adminSocket, { user, request });
}

async function carryOut(wanted: Wanted, ask: Ask, print: Print): Promise<number> {
  const { request, json } = wanted;
  if (request["command"] === "drain") return await drainPool(ask, wanted, print);
  const data = await ask(request);
  const lines = json
    ? [JSON.stringify(data)]
    : linesOf(String(request["command"]), data, systemClock.now());
  return print(lines, 0);
}

async function drainPool(
  ask: Ask,
  { withinMs, keep, json }: Pick<Wanted, "withinMs" | "keep" | "json">,
  print: Print,
): Promise<number> {
  const endMs = systemClock.now() + withinMs;
  let { sessions } = await ask({ command: "drain" }) as { sessions: number };
  if (!json) print(linesOf("drain", { sessions }, 0), 0);
  while (sessions > 0 && systemClock.now() < endMs) {
    await systemClock.sleep(Math.min(LOOK_MS, endMs - systemClock.now()));
    const { mining } = await ask({ command: "status" }) as { mining: { sessions: number } };
    if (mining.sessions !== sessions && !json) print([`sessions: ${mining.sessions}`], 0);
    sessions = mining.sessions;
  }
  if (!keep) await ask({ command: "stop" });
  const last = sessions === 0 ? "No session is left" : `${sessions} sessions are left`;
  const text = keep ? `${last}.` : `${last}; the pool ends.`;
  return print([json ? JSON.stringify({ sessions, ended: !keep }) : text], 0);
}

type Print = (lines: string[], exitCode: number) => number;

function printer(out: Out): Print {
  return (lines, exitCode) => {
    out(lines.join("\n") + "\n");
    return exitCode;
  };
}

function toStdout(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
