/** The sample of users for Redis as an operator uses it, with its passwords as they stand there. */

/** The sample itself. */
export const ACL_SAMPLE = new URL("../../config/redis/users.acl", import.meta.url);

/** Password of a user of the sample. */
export async function samplePassword(user: string): Promise<string> {
  const line = (await Deno.readTextFile(ACL_SAMPLE)).split("\n")
    .find((one) => one.startsWith(`user ${user} `));
  const password = / >(\S+)/.exec(line ?? "")?.[1];
  if (password === undefined) throw new Error(`The sample has no user ${user}`);
  return password;
}
