/** Where and how to mine here: the ports, and what to type for the usual programs. */
import type { Connect } from "./schemas.ts";
import type { PoolFacts } from "./facts.ts";

/** Command lines as each program's own documentation writes them. */
const PROGRAMS: Connect["programs"] = [
  program("lolMiner", "ethereumStratum or eth-proxy", [
    "lolMiner --algo {ALGORITHM} --pool {endpoint} --user {address}.{worker}",
    "lolMiner --algo {ALGORITHM} --pool {endpoint} --user {address}.{worker} --tls on",
  ]),
  program("TeamRedMiner", "ethereumStratum or eth-proxy", [
    "teamredminer -a {algorithm} -o stratum+tcp://{endpoint} -u {address}.{worker} -p x",
    "teamredminer -a {algorithm} -o stratum+ssl://{endpoint} -u {address}.{worker} -p x",
  ]),
  program("GMiner", "eth-proxy", [
    "miner --algo {algorithm} --server {endpoint} --user {address}.{worker}",
    "miner --algo {algorithm} --server {endpoint} --user {address}.{worker} --ssl 1",
  ]),
  program("ethminer", "eth-proxy", [
    "ethminer -P stratum1+tcp://{address}.{worker}@{endpoint}",
    "ethminer -P stratum1+ssl://{address}.{worker}@{endpoint}",
  ]),
  program("ASIC or NiceHash", "ethereumStratum", [
    "URL stratum+tcp://{endpoint}, user {address}.{worker}, password x",
  ]),
];

function program(name: string, dialect: string, [command, tls]: string[]) {
  return { name, dialect, command: command!, tlsCommand: tls ?? null };
}

/** `/connect`. @param askedHost the host that this was asked by, when the configuration has none */
export function connectBody(facts: PoolFacts, askedHost: string, asOfMs: number): Connect {
  const host = facts.publicHost || askedHost;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return {
    asOfMs,
    endpoints: placesOf(facts, host).flatMap((place) =>
      facts.endpoints.map((one) => ({ ...one, ...place, difficulty: `${one.difficulty}` }))
    ),
    getwork: facts.getworkPort === undefined
      ? null
      : { url: `http://${shown}:${facts.getworkPort}/{address}/{worker}` },
    programs: PROGRAMS.map((program) => ({
      ...program,
      command: withAlgorithm(program.command, facts.algorithm),
      tlsCommand: program.tlsCommand && withAlgorithm(program.tlsCommand, facts.algorithm),
    })),
  };
}

/** Every place of the pool; the one that was asked when there are no others. */
function placesOf({ regions }: PoolFacts, host: string) {
  if (regions.length === 0) return [{ host, region: null, ping: null }];
  return regions.map(({ name, host, ping = null }) => ({ host, region: name, ping }));
}

function withAlgorithm(command: string, algorithm: string): string {
  return command.replace("{algorithm}", algorithm).replace("{ALGORITHM}", algorithm.toUpperCase());
}

/** The host of a Host header without its port; "localhost" when there is none that can be shown. */
export function hostOf(header: string | undefined): string {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:\d{1,5})?$/.exec(header ?? "");
  return match?.[1]?.replace(/^\[|\]$/g, "") ?? "localhost";
}
