/**
 * HTTP getwork: `POST /0xLOGIN/worker` or `/0xLOGIN` with JSON-RPC in the body.
 *
 * Paths, status codes and the several-objects body follow open-ethereum-pool (its proxy.go as
 * measured); the words are the eth-proxy dialect's.
 */
import { type Clock, isAddress, type Logger, toQuantity } from "../base/mod.ts";
import { type HttpServer, serveHttp } from "../http/mod.ts";
import { ethProxy, workOf } from "./dialects/eth_proxy.ts";
import { readId, requestOf, type RpcId } from "./dialect.ts";
import { readWorker } from "./login.ts";
import type { AddressReader } from "./remote_address.ts";
import {
  type GetworkTerms,
  type Miner,
  type MiningService,
  needsExtranonce,
  WORK_NOT_READY,
} from "./service.ts";

/** Settings of the HTTP port. */
export interface GetworkOptions {
  hostname: string;
  port: number;
  /** Connections held at once by this listener; further ones are closed at once. */
  maxConn: number;
  limitHeadersBytes: number;
  limitBodyBytes: number;
  reusePort: boolean;
}

interface GetworkDeps {
  service: MiningService;
  /** Difficulty and scheme of this door. */
  terms: GetworkTerms;
  clock: Clock;
  log: Logger;
  addressOf: AddressReader;
}

/** JSON values in one body at most. */
const VALUES_MAX = 32;

/** Opens the HTTP port. @throws when the address is taken */
export async function serveGetwork(
  options: GetworkOptions,
  deps: GetworkDeps,
): Promise<HttpServer> {
  const { hostname, port, reusePort, maxConn, limitBodyBytes } = options;
  const server = await serveHttp(
    { hostname, port, reusePort, connectionsMax: maxConn, bodyBytesMax: limitBodyBytes },
    (request, peer) => answer(request, peer, options, deps),
    deps,
  );
  deps.log.info("getwork.listening", { hostname, port: server.port });
  return server;
}

/** Answers one request; `peer` is the socket's address. */
export async function answer(
  request: Request,
  peer: string,
  options: Pick<GetworkOptions, "limitHeadersBytes" | "limitBodyBytes">,
  deps: GetworkDeps,
): Promise<Response> {
  const { service } = deps;
  const ip = deps.addressOf(peer, request.headers.get("x-forwarded-for"));
  if (headerBytes(request.headers) > options.limitHeadersBytes) {
    return text("Request header fields too large\n", 431);
  }
  const path = new URL(request.url).pathname.split("/").slice(1);
  const [named, rig, ...rest] = path;
  const asksSolo = /^solo(?::|%3a)/i.test(named ?? "");
  const address = named?.replace(/^solo(?::|%3a)/i, "");
  const worker = rig === undefined ? undefined : readWorker(decode(rig));
  if (!isAddress(address) || rest.length > 0 || (rig !== undefined && worker === undefined)) {
    return text("404 page not found\n", 404);
  }
  if (request.method !== "POST") return new Response(null, { status: 405 });
  if (service.policy.isBanned(ip)) return text("", 200);
  const login = address.toLowerCase();
  if (/^0x0{40}$/.test(login)) return text("404 page not found\n", 404);
  const body = await readBody(request, options.limitBodyBytes);
  if (body === undefined) {
    service.policy.onMalformed(ip);
    return text("Request too large\n", 417);
  }
  const problem = schemeProblem(asksSolo, deps);
  const miner: Miner = { login, worker: service.workerOf(login, worker), ip };
  const lines: string[] = [];
  for (const value of splitValues(body)) {
    const line = problem === undefined
      ? await answerOne(value, miner, deps)
      : ethProxy.error(idOf(value), { code: -1, message: problem });
    if (line !== undefined) lines.push(line);
  }
  return text(lines.map((line) => line + "\n").join(""), 200);
}

/** Why this door cannot serve a scheme: its nonces belong to nobody (bindings.ts). */
function schemeProblem(asksSolo: boolean, { service, terms }: GetworkDeps): string | undefined {
  const scheme = asksSolo ? "solo" : terms.scheme;
  if (scheme === service.deps.bindings.scheme) return undefined;
  return needsExtranonce(asksSolo, scheme);
}

function idOf(value: string): RpcId {
  try {
    return readId(requestOf(JSON.parse(value))?.id);
  } catch {
    return null;
  }
}

async function answerOne(
  value: string,
  miner: Miner,
  { service, terms }: GetworkDeps,
): Promise<string | undefined> {
  let request: unknown;
  try {
    request = JSON.parse(value);
  } catch {
    service.policy.onMalformed(miner.ip);
    return ethProxy.error(null, { code: -1, message: "Malformed request: no JSON" });
  }
  const command = ethProxy.read(request);
  const { id } = command;
  if (service.policy.isBlacklisted(miner.login)) {
    return ethProxy.error(id, { code: -1, message: "You are blacklisted" });
  }
  switch (command.kind) {
    case "getWork": {
      const offer = service.getworkOffer(terms);
      return offer === undefined
        ? ethProxy.error(id, WORK_NOT_READY)
        : ethProxy.result(id, workOf(offer));
    }
    case "submit": {
      const worker = service.workerOf(miner.login, command.worker, miner.worker);
      const given = await service.submitUnassigned({ ...miner, worker }, command.claim, terms);
      if (given === undefined) return undefined;
      return given.accepted ? ethProxy.result(id, true) : ethProxy.error(id, given.error);
    }
    case "hashrate":
      service.reportHashrate(miner, command.rate);
      return ethProxy.result(id, true);
    case "getBlock": {
      // Old miners read the share difficulty here, spelt as open-ethereum-pool spells it.
      const offer = service.getworkOffer(terms);
      const difficulty = "0x0" + (offer?.terms.difficulty ?? 0n).toString(16);
      return ethProxy.result(id, offer && { number: toQuantity(offer.job.height), difficulty });
    }
    case "unknown":
      service.policy.onMalformed(miner.ip);
      return ethProxy.error(id, { code: -3, message: "Method not found" });
    case "malformed":
      service.policy.onMalformed(miner.ip);
      return ethProxy.error(id, { code: -1, message: command.message });
    default:
      // A login is in the path; what else the dialect knows needs no session's state.
      return ethProxy.result(id, true);
  }
}

/** The body, or undefined when it is longer than allowed, whatever Content-Length claims. */
async function readBody(request: Request, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return undefined;
  const bytes = await request.bytes();
  return bytes.length > maxBytes ? undefined : new TextDecoder().decode(bytes);
}

/** Cuts a body into its top-level JSON objects; text that is none is one value of its own. */
export function splitValues(body: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let inText = false;
  let start = 0;
  for (let i = 0; i < body.length && values.length < VALUES_MAX; i++) {
    const char = body[i];
    if (inText) {
      if (char === "\\") i++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) {
      values.push(body.slice(start, i + 1));
      start = i + 1;
    }
  }
  const rest = body.slice(start).trim();
  if (rest !== "" && values.length < VALUES_MAX) values.push(rest);
  return values.map((value) => value.trim());
}

function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function text(body: string, status: number): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
