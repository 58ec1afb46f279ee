/** The only file that reads the configuration from disk and its secrets from the environment. */
import { dirname, resolve } from "node:path";
import { errorText } from "../base/mod.ts";
import type { ConfigContext } from "./build.ts";
import { parseConfig, type ParsedConfig } from "./parse.ts";
import { ConfigError, problemLine, type Warning } from "./problem.ts";

/** A configuration from a file, and where secrets of it came from. */
export interface LoadedConfig extends ParsedConfig {
  /** Files by their absolute paths, and variables, in the order of reading. */
  secrets: FoundSecret[];
}

/** Where a secret is: a credential is a file too. */
export type FoundSecret = { file: string } | { env: string };

/**
 * Reads and parses a configuration file.
 *
 * @throws {ConfigError} when it cannot be read or used; lists every problem
 */
export function loadConfig(path: string): LoadedConfig {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const problem = `${path} cannot be read: ${whyUnread(error)}`;
    const mend = error instanceof Deno.errors.PermissionDenied
      ? "let the pool's user read it"
      : "give the path of a configuration";
    throw new ConfigError([{ path: "", problem, mend }]);
  }
  const baseDir = dirname(resolve(path));
  const secrets: FoundSecret[] = [];
  const context: ConfigContext = {
    baseDir,
    readSecret(reference) {
      const found = "env" in reference ? reference : {
        file: "file" in reference
          ? resolve(baseDir, reference.file)
          : credentialPath(reference.credential),
      };
      secrets.push(found);
      return readSecret(found);
    },
    readText(file) {
      secrets.push({ file });
      return readFile(file);
    },
  };
  return { ...parseConfig(text, context), secrets };
}

/** What `main.ts --check` prints, and its exit code: 0 when the file may be used. */
export function checkReport(path: string): { lines: string[]; exitCode: 0 | 1 } {
  try {
    const { warnings } = loadConfig(path);
    return { lines: [...warnings.map(warningLine), `${path}: no problems`], exitCode: 0 };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = [
      ...error.warnings.map(warningLine),
      ...error.problems.map((problem) => `error    ${problemLine(problem)}`),
    ];
    const count = error.problems.length;
    return {
      lines: [...lines, `${path}: ${count} ${count === 1 ? "problem" : "problems"}`],
      exitCode: 1,
    };
  }
}

/** One warning as the check prints it. */
export function warningLine({ path, message }: Warning): string {
  return `warning  ${path}: ${message}`;
}

/** Where systemd puts a credential (LoadCredential=NAME:...). */
function credentialPath(name: string): string {
  const folder = Deno.env.get("CREDENTIALS_DIRECTORY");
  if (folder !== undefined) return `${folder}/${name}`;
  throw new Error("is a credential, and CREDENTIALS_DIRECTORY is not set: systemd sets it");
}

function readSecret(reference: FoundSecret): string {
  if ("env" in reference) {
    const value = Deno.env.get(reference.env);
    if (value === undefined) throw new Error(`is in ${reference.env}, which is not set`);
    return value;
  }
  return readFile(reference.file).split("\n")[0]!.trimEnd();
}

function readFile(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new Error(`cannot be read from ${file}: ${whyUnread(error)}`);
  }
}

/** The system's reason without the path, which Deno repeats at its end. */
function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return errorText(error).replace(/: readfile '.*'$/s, "");
}
