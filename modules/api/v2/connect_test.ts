/** Where miners connect: one host, or every region with each port. */
import assert from "node:assert/strict";
import { connectBody } from "./connect.ts";
import { NO_FACTS, type PoolFacts } from "./facts.ts";

const port = (port: number) => ({
  ...{ name: `stratum ${port}`, port, tls: false, scheme: "prop" as const },
  ...{ difficulty: 4_000n, varDiff: false, dialects: "all" as const },
});

Deno.test("connectBody() lists each region with each port, and what to measure it by", () => {
  const facts: PoolFacts = {
    ...NO_FACTS,
    endpoints: [port(8008), port(8443)],
    regions: [
      { name: "Europe", host: "eu.pool.example", ping: "https://eu.pool.example/api/v2/ping" },
      { name: "Asia", host: "asia.pool.example" },
    ],
  };
  const { endpoints } = connectBody(facts, "www.pool.example", 1);
  assert.deepEqual(endpoints.map(({ region, host, port, ping }) => [region, host, port, ping]), [
    ["Europe", "eu.pool.example", 8008, "https://eu.pool.example/api/v2/ping"],
    ["Europe", "eu.pool.example", 8443, "https://eu.pool.example/api/v2/ping"],
    ["Asia", "asia.pool.example", 8008, null],
    ["Asia", "asia.pool.example", 8443, null],
  ]);
});

Deno.test("connectBody() has one place where no region is named", () => {
  const { endpoints } = connectBody({ ...NO_FACTS, endpoints: [port(1)] }, "pool.example", 1);
  assert.deepEqual(endpoints.map(({ region, host, ping }) => [region, host, ping]), [
    [null, "pool.example", null],
  ]);
});
