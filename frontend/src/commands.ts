/**
 * Command lines for miners' programs (pure): templates of the API, filled in. The values are checked
 * before, so that nothing in them means anything to a shell.
 */
import type { Connect } from "./types.ts";

/** A port to mine at. */
export type Endpoint = Connect["endpoints"][number];
/** A program's templates. */
export type Program = Connect["programs"][number];

/** What a worker may be called; the rest is no name that is safe in every shell. */
export const WORKER = /^[A-Za-z0-9_-]{1,32}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HOST = /^[A-Za-z0-9.:-]{1,253}$/;

/** Where the port is, as a program takes it. */
export function endpointText(
  { host, port }: Pick<Endpoint, "host" | "port">,
): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The line to type; undefined when the program cannot use the port. @throws {Error} for values unchecked */
export function commandLine(
  program: Program,
  endpoint: Endpoint,
  { address, worker }: { address: string; worker: string },
): string | undefined {
  if (
    !HOST.test(endpoint.host) || !ADDRESS.test(address) || !WORKER.test(worker)
  ) {
    throw new Error("host, address and worker are checked before");
  }
  const template = endpoint.tls ? program.tlsCommand : program.command;
  if (template === null) return undefined;
  const values: Record<string, string> = {
    ...{
      endpoint: endpointText(endpoint),
      host: endpoint.host,
      port: String(endpoint.port),
    },
    ...{ address, worker },
  };
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A file that starts the line again when the program ends. */
export function script(line: string, system: "windows" | "linux"): string {
  return system === "windows"
    ? `@echo off\r\n:again\r\n${line}\r\ntimeout /t 10\r\ngoto again\r\n`
    : `#!/bin/sh\nwhile true; do\n  ${line}\n  sleep 10\ndone\n`;
}
