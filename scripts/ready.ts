/** Whether the pool of this machine is ready, for a container's health check: `quarry ready [PORT]`. */

const USAGE =
  "Usage: quarry ready [PORT]   the port of api.listen or health.listen, 8080 unless given";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Asks once; gives 0 when it is ready, 1 when it is not or nobody answers, 2 for wrong usage. */
export async function main([port = "8080"]: readonly string[]): Promise<number> {
  const say = (text: string, exitCode: number) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
    return exitCode;
  };
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return say(USAGE, 2);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return say(`${response.status} ${(await response.text()).trim()}`, response.ok ? 0 : 1);
  } catch {
    return say(
      `Nobody answers at 127.0.0.1:${port}: give the port of api.listen or health.listen`,
      1,
    );
  }
}
