/** The operator's commands: a request and the pool come in, an answer and an audit row go out. */
import { type Clock, errorText, type Logger, PoolError } from "../../base/mod.ts";
import {
  type LedgerDeps,
  noteAct,
  pausePayouts,
  readActs,
  readGauges,
  readLeaseHolder,
  readNodes,
  readPayoutsPause,
  readRoundSums,
  resumePayouts,
  type Role,
} from "../../ledger/mod.ts";
import type { AdminMining, AdminParts, SessionChoice } from "./parts.ts";
import type { AdminCommand, AdminRequest } from "./protocol.ts";

/** What commands work with. */
export interface CommandDeps extends LedgerDeps {
  clock: Clock;
  log: Logger;
  pool: AdminParts;
  /** `redis.waitReplicas`. */
  waitReplicas: number;
}

/** Commands that change something, in the audit log's words. */
const ACTS: Partial<Record<AdminCommand, string>> = {
  "ban": "ban.set",
  "unban": "ban.ended",
  "drop": "session.dropped",
  "payouts pause": "payouts.paused",
  "payouts resume": "payouts.resumed",
  "unlock now": "unlocker.asked",
  "pay now": "payer.asked",
  "drain": "mining.drained",
  "stop": "pool.stopped",
  "reload": "config.reloaded",
  "log level": "log.level",
};

/** Carries a command out. @throws {PoolError} in the operator's words */
export async function runCommand(
  request: AdminRequest,
  user: string,
  deps: CommandDeps,
): Promise<unknown> {
  const what = ACTS[request.command];
  if (what === undefined) return await carryOut(request, user, deps);
  const { command: _, ...asked } = request;
  let result = "done";
  try {
    return await carryOut(request, user, deps);
  } catch (error) {
    result = errorText(error);
    throw error;
  } finally {
    await note(deps, user, what, { ...asked, instance: deps.pool.instance, result });
  }
}

/** In the log at once, and in the ledger while there is one: an act is not held up by Redis. */
async function note(
  deps: CommandDeps,
  user: string,
  what: string,
  facts: Record<string, unknown>,
): Promise<void> {
  deps.log.info("admin.act", { user, what, ...facts });
  await noteAct(deps, { who: user, what, facts }).catch((error) => {
    deps.log.warn("admin.actNotKept", { user, what, error });
  });
}

async function carryOut(request: AdminRequest, user: string, deps: CommandDeps): Promise<unknown> {
  const { pool, clock } = deps;
  switch (request.command) {
    case "status":
      return await statusOf(deps);
    case "sessions": {
      const { limit, ...choice } = named(request);
      return await mining(pool).admin.sessions(choice as SessionChoice, limit as number);
    }
    case "bans":
      return { bans: mining(pool).admin.bans(), nowMs: clock.now() };
    case "ban": {
      const forMs = request.minutes === undefined ? pool.banMs() : request.minutes * 60_000;
      const reason = request.reason === "" ? `by ${user}` : request.reason;
      return { ...await mining(pool).admin.ban(request.address, forMs, reason), forMs };
    }
    case "unban":
      if (mining(pool).admin.unban(request.address)) return {};
      throw new PoolError(`${request.address} is not banned here`);
    case "drop":
      return await drop(request, pool);
    case "jobs":
      return { jobs: (await mining(pool).admin.jobs()).slice(0, request.limit) };
    case "round":
      return await roundOf(deps, request.limit);
    case "payouts pause": {
      const isNew = await pausePayouts(deps, { who: user, reason: request.reason });
      if (!isNew) throw new PoolError("Payments are paused already: `status` says by whom");
      pool.payer?.look();
      return {};
    }
    case "payouts resume": {
      const pause = await resumePayouts(deps);
      if (pause === undefined) throw new PoolError("Payments are not paused");
      pool.payer?.look();
      return { pause };
    }
    case "unlock now":
      (await here(deps, "unlocker", pool.unlocker)).runNow();
      return {};
    case "pay now":
      if (await readPayoutsPause(deps) !== undefined) {
        throw new PoolError("Payments are paused: `payouts resume` first");
      }
      (await here(deps, "payer", pool.payer)).runNow();
      return {};
    case "drain":
      mining(pool).drain();
      return { sessions: mining(pool).status().sessions };
    case "stop":
      pool.stop();
      return {};
    case "reload":
      return await pool.reload();
    case "log level":
      pool.setLogLevel(request.level);
      return {};
    case "log":
      return { acts: await readActs(deps, request.limit) };
  }
}

async function statusOf(deps: CommandDeps) {
  const { pool, clock } = deps;
  const { instance, version, startedAtMs, service } = pool;
  const ledger = await readLedger(deps).catch((error) => ({ away: errorText(error) }));
  return {
    ...{
      instance,
      version,
      service,
      pid: Deno.pid,
      startedAtMs,
      nowMs: clock.now(),
      parts: pool.parts(),
    },
    ...(pool.mining === undefined ? {} : {
      mining: { ...pool.mining.status(), bans: pool.mining.admin.bans().length },
    }),
    ledger,
  };
}

async function readLedger(deps: CommandDeps) {
  const [{ money, blocks, paymentsOpen, loops }, pause, unlocker, payer] = await Promise.all([
    readGauges(deps),
    readPayoutsPause(deps),
    readLeaseHolder(deps, "unlocker"),
    readLeaseHolder(deps, "payer"),
  ]);
  return {
    ...{ money, blocks, paymentsOpen, loops },
    ...(pause === undefined ? {} : { pause }),
    holders: {
      ...(unlocker === undefined ? {} : { unlocker }),
      ...(payer === undefined ? {} : { payer }),
    },
  };
}

async function drop(
  { session, login, ip }: Extract<AdminRequest, { command: "drop" }>,
  pool: AdminParts,
) {
  if ([session, login, ip].filter((one) => one !== undefined).length !== 1) {
    throw new PoolError("Name one of SESSION, --login and --ip");
  }
  const dropped = await mining(pool).admin.drop({
    ...(session === undefined ? {} : { id: session }),
    ...(login === undefined ? {} : { login }),
    ...(ip === undefined ? {} : { ip }),
  });
  if (dropped === 0) throw new PoolError("No such session here: `sessions` lists them");
  return { dropped };
}

async function roundOf(deps: CommandDeps, limit: number) {
  const { scheme } = deps.pool;
  const [{ total, rows }, nodes] = await Promise.all([
    readRoundSums(deps, scheme),
    readNodes(deps),
  ]);
  const difficulty = nodes.map((node) => BigInt(node.difficulty || 0))
    .reduce((most, one) => one > most ? one : most, 0n);
  return {
    ...{ scheme, total, logins: rows.length, rows: rows.slice(0, limit) },
    ...(difficulty > 0n
      ? { networkDifficulty: difficulty, effortPercent: Number(total * 10_000n / difficulty) / 100 }
      : {}),
  };
}

function mining({ mining }: AdminParts): AdminMining {
  if (mining !== undefined) return mining;
  throw new PoolError("This process does not mine: ask one whose configuration opens stratum");
}

/** A money loop of this process, which must be the one that holds the role. */
async function here<Part>(deps: CommandDeps, role: Role, part: Part | undefined): Promise<Part> {
  const { instance } = deps.pool;
  const holder = await readLeaseHolder(deps, role);
  if (part !== undefined && (holder === undefined || holder === instance)) return part;
  const who = holder === undefined ? "nobody has that role now" : `${holder} has that role now`;
  throw new PoolError(`This process (${instance}) is not the ${role}, ${who}: ask there`);
}

function named(request: AdminRequest): Record<string, unknown> {
  const { command: _, ...others } = request;
  return others;
}
