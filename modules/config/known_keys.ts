/** Keys that are known without doing anything: the old pool's telemetry, and what comes later. */

/** Lower-case path → why the key does nothing here. */
export const LEGACY_KEYS: Readonly<Record<string, string>> = {
  newrelicenabled: "New Relic telemetry was dropped, nothing is sent anywhere",
  newrelicname: "New Relic telemetry was dropped, nothing is sent anywhere",
  newrelickey: "New Relic telemetry was dropped, remove the key from the file",
  newrelicverbose: "New Relic telemetry was dropped, nothing is sent anywhere",
  "unlocker.donate": "the old developers' share of the fee does not exist here, no one receives it",
};

/** Paths that a later version takes; lists are written without their index. */
const LATER_KEYS = [
  "redis.url",
  "redis.managed",
  "branding",
];

const later = new Map(LATER_KEYS.map((path) => [path.toLowerCase(), path]));

/** The documented spelling of a key that a later version takes, or undefined. */
export function laterKey(path: string): string | undefined {
  return later.get(path.toLowerCase());
}

/** Keys of core-pool and open-etc-pool-friends → the key that says the same here. */
const NEW_PLACES: Readonly<Record<string, string>> = {
  "proxy.stratum.tls": "proxy.tls",
  "proxy.stratum.certfile": "proxy.tls.cert",
  "proxy.stratum.keyfile": "proxy.tls.key",
};

/** The key of this pool that stands for another pool's, or undefined. */
export function newPlace(path: string): string | undefined {
  return NEW_PLACES[path.toLowerCase()];
}

/** Keys that have one value so far, and the values that later versions give them. */
const LATER_VALUES: Readonly<Record<string, RegExp>> = {};

/** Whether a later version takes this value of a key that has one value so far. */
export function isLaterValue(path: string, value: unknown): boolean {
  const values = LATER_VALUES[path];
  if (values === undefined) return false;
  return typeof value === "object" ? value !== null : values.test(String(value));
}
