/** The samples of users for Redis and Sentinels as an operator uses them, passwords included. */

/** The sample itself. */
export const ACL_SAMPLE = new URL("../../config/redis/users.acl", import.meta.url);

/** The sample of users for Sentinels. */
export const SENTINEL_SAMPLE = new URL("../../config/redis/sentinel-users.acl", import.meta.url);

/** Password of a user of a sample. */
export async function samplePassword(user: string, sample = ACL_SAMPLE): Promise<string> {
  const line = (await Deno.readTextFile(sample)).split("\n")
    .find((one) => one.startsWith(`user ${user} `));
  const password = / >(\S+)/.exec(line ?? "")?.[1];
  if (password === undefined) throw new Error(`The sample has no user ${user}`);
  return password;
}
