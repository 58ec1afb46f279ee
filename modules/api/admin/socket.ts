/** The operator's socket: opened where nobody else comes, and only if no pool answers there. */
import { dirname } from "node:path";
import { errorText, PoolError } from "../../base/mod.ts";

/** Bits of a mode that let a group or everybody in. */
const OTHERS = 0o077;

/**
 * Listens on a unix socket of mode 0600 in a folder of mode 0700, which is made when it is missing.
 * What a dead process has left is replaced.
 *
 * @throws {PoolError} that names the mend
 */
export async function listenPrivately(path: string): Promise<Deno.UnixListener> {
  const folder = dirname(path);
  await makeFolder(folder);
  await removeStale(path);
  let listener: Deno.UnixListener;
  try {
    listener = Deno.listen({ transport: "unix", path });
  } catch (cause) {
    throw new PoolError(`Cannot listen on ${path}: ${errorText(cause)}`, { cause });
  }
  try {
    await Deno.chmod(path, 0o600);
    const [socket, holder] = await Promise.all([Deno.stat(path), Deno.stat(folder)]);
    if (holder.uid !== socket.uid && holder.uid !== 0) {
      throw new PoolError(
        `api.adminSocket: ${folder} belongs to another user (${holder.uid}): let the pool's own it`,
      );
    }
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PoolError(`api.adminSocket: cannot make ${folder}: ${errorText(cause)}`, { cause });
  }
  const { mode, isDirectory } = await Deno.stat(folder);
  if (!isDirectory) throw new PoolError(`api.adminSocket: ${folder} is no folder`);
  if (mode === null || (mode & OTHERS) === 0) return;
  throw new PoolError(
    `api.adminSocket: others can enter ${folder} (mode ${(mode & 0o777).toString(8)}): ` +
      `chmod 700 ${folder}, or choose a folder of its own`,
  );
}

async function removeStale(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket) {
    throw new PoolError(`api.adminSocket: ${path} is no socket: choose another path`);
  }
  const answering = await Deno.connect({ transport: "unix", path }).catch(() => undefined);
  if (answering !== undefined) {
    answering.close();
    throw new PoolError(
      `api.adminSocket: another pool answers at ${path}: give this one another name`,
    );
  }
  await Deno.remove(path);
}
