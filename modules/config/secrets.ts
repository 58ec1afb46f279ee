/** Secrets that the file contains, or names where they are. */
import type { ConfigContext } from "./build.ts";
import { type Findings, refuse } from "./findings.ts";

/** Text, or exactly one place where it is. */
export type RawSecret = string | {
  file?: string | undefined;
  env?: string | undefined;
  credential?: string | undefined;
};

/** A secret's text; empty when it cannot be had, which is a finding then. */
export function resolveSecret(
  path: string,
  value: RawSecret,
  context: ConfigContext,
  found: Findings,
): string {
  if (typeof value === "string") return value;
  const { file, env, credential } = value;
  if ([file, env, credential].filter((one) => one !== undefined).length !== 1) {
    const problem = "needs exactly one of file, env and credential";
    refuse(found, path, problem, 'write {"file": "..."}');
    return "";
  }
  try {
    const secret = context.readSecret(
      file !== undefined ? { file } : env !== undefined ? { env } : { credential: credential! },
    );
    if (secret !== "") return secret;
    refuse(found, path, `is empty in ${file ?? env ?? credential}`, "put it there");
  } catch (error) {
    refuse(found, path, (error as Error).message, "make it readable for the pool");
  }
  return "";
}
