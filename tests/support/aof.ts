/** Reads redis-server's append-only file: what is on disk, command by command. */

/** Every command of the incremental append-only files in a data folder, oldest first. */
export async function readAppendOnly(dir: string): Promise<string[][]> {
  const folder = `${dir}/appendonlydir`;
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".incr.aof")) names.push(name);
  }
  const commands: string[][] = [];
  for (const name of names.sort()) {
    commands.push(...parse(await Deno.readFile(`${folder}/${name}`)));
  }
  return commands;
}

/** Bytes of the newest incremental append-only file. */
export async function sizeOfAppendOnly(dir: string): Promise<number> {
  return (await Deno.stat(await newestFile(dir))).size;
}

/** Cuts the newest incremental append-only file of a server that is not running, at any byte. */
export async function cutAppendOnly(dir: string, bytes: number): Promise<void> {
  await Deno.truncate(await newestFile(dir), bytes);
}

async function newestFile(dir: string): Promise<string> {
  const folder = `${dir}/appendonlydir`;
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".incr.aof")) names.push(name);
  }
  const numberOf = (name: string) => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1]);
  const newest = names.sort((a, b) => numberOf(a) - numberOf(b)).at(-1);
  if (newest === undefined) throw new Error(`There is no append-only file in ${folder}`);
  return `${folder}/${newest}`;
}

/** RESP arrays of bulk strings; a torn last command is left out. */
function parse(bytes: Uint8Array): string[][] {
  const decoder = new TextDecoder();
  const commands: string[][] = [];
  let at = 0;
  function line(): string | undefined {
    const end = bytes.indexOf(13, at);
    if (end === -1) return undefined;
    const text = decoder.decode(bytes.subarray(at, end));
    at = end + 2;
    return text;
  }
  while (at < bytes.length) {
    const head = line();
    if (head === undefined || !head.startsWith("*")) break;
    const parts: string[] = [];
    for (let n = Number(head.slice(1)); n > 0; n--) {
      const size = Number(line()?.slice(1));
      if (!Number.isInteger(size) || at + size > bytes.length) return commands;
      parts.push(decoder.decode(bytes.subarray(at, at + size)));
      at += size + 2;
    }
    commands.push(parts);
  }
  return commands;
}
