/** Whether the pool of this machine is ready, for a container's health check: `quarry ready [PORT]`. */

if (import.meta.main) {
  const port = Deno.args[0] ?? "8080";
  const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    say(`${response.status} ${(await response.text()).trim()}`);
    Deno.exit(response.ok ? 0 : 1);
  } catch (error) {
    say((error as Error).message);
    Deno.exit(1);
  }
}
