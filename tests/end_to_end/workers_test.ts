/** Bans and caps over the stratum workers of one process, which share its ports. */
import assert from "node:assert/strict";
import { LineClient } from "../support/line_client.ts";
import { until } from "../support/process.ts";
import { openWholePool } from "../support/whole_pool.ts";

const ASK = JSON.stringify({ id: 1, method: "eth_getWork", params: [] });

/** What a new connection gets: its first line, or null when it is turned away. */
async function knock(port: number): Promise<{ client: LineClient; line: string | null }> {
  const client = await LineClient.connect(port);
  const line = await client.send(ASK).then(() => client.line()).catch(() => null);
  return { client, line };
}

Deno.test("the workers of a process cap and ban an address as one", async () => {
  await using stack = new AsyncDisposableStack();
  const { pool, ports } = await openWholePool(stack, {
    config: () => ({
      threads: 3,
      proxy: {
        policy: {
          banning: { enabled: true, malformedLimit: 3 },
          limits: { perAddress: 4 },
        },
      },
    }),
  });
  const first = await Promise.all(Array.from({ length: 24 }, () => knock(ports.stratum)));
  const held = first.filter(({ line }) => line !== null);
  for (const { client, line } of first) if (line === null) client.close();
  assert.ok(held.length >= 1 && held.length <= 4, `${held.length} of 24 at once`);
  // One by one the cap is reached, and never passed.
  await until("four connections", async () => {
    const { client, line } = await knock(ports.stratum);
    if (line === null) client.close();
    else held.push({ client, line });
    return held.length === 4;
  });
  for (let i = 0; i < 24; i++) {
    const { client, line } = await knock(ports.stratum);
    client.close();
    assert.equal(line, null, `connection ${i} beyond the cap`);
  }
  const [offender, ...others] = held.map(({ client }) => client);
  for (const client of others) client.close();
  for (let i = 0; i < 3; i++) {
    await offender!.send(`{"id":1,"method":"nonsense"}`);
    assert.match((await offender!.line())!, /Method not found/);
  }
  assert.equal(await offender!.line().catch(() => null), null);
  offender!.close();
  await until("the ban", () => pool.output().includes('"policy.banned"'));
  // With room under the cap again, whichever worker takes the connection refuses it.
  let refused = 0;
  await until("a refusal everywhere", async () => {
    const { client, line } = await knock(ports.stratum);
    client.close();
    refused = line === null ? refused + 1 : 0;
    return refused === 30;
  });
  assert.equal(pool.output().split('"policy.banned"').length - 1, 1);
});
