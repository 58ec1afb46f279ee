/** The API's part of a configuration, as an empty file has it but for the port. */
import { type ApiConfig, parseConfig } from "../../modules/config/mod.ts";

const CONTEXT = { baseDir: "/nowhere", readSecret: () => "" };

/** On a free loopback port, with some values changed. */
export function apiConfig(change: Partial<ApiConfig> = {}): ApiConfig {
  const { api } = parseConfig("{}", CONTEXT).config;
  return { ...api, listen: { hostname: "127.0.0.1", port: 0 }, ...change };
}
