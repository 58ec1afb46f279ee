/** A Deno worker that looks at pages so many times a second and tells how many it saw. */
import { silentLogger } from "../../modules/base/mod.ts";
import { createKeys, openStore } from "../../modules/ledger/mod.ts";
import { loginOf } from "./fill.ts";
import { appOf, VIEWS } from "./run.ts";

const scope = self as unknown as {
  onmessage: (event: { data: unknown }) => void;
  postMessage(message: number): void;
};
/** Pause between two groups of views (milliseconds). */
const TICK_MS = 50;
/** Views before any is counted. */
const WARM_UP = 300;

let seen = -WARM_UP;
let stop = () => {};

scope.onmessage = ({ data }) => {
  if (data === "stop") stop();
  else void start(data as { endpoint: string; perSecond: number });
};

async function start({ endpoint, perSecond }: { endpoint: string; perSecond: number }) {
  const store = await openStore({ endpoint, database: 0, password: "" }, { log: silentLogger });
  const app = appOf({ store, keys: createKeys("etc") });
  const paths = Object.values(VIEWS);
  let next = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < perSecond * TICK_MS / 1_000; i++) {
      const path = paths[next % paths.length]!(loginOf(next * 7_919 % 100_000));
      next++;
      Promise.resolve(app.request(`http://pool${path}`)).then((response) => response.text())
        .then(count, () => {});
    }
  }, TICK_MS);
  function count() {
    // What is compiled on first use is no page view's cost.
    if (++seen === 0) scope.postMessage(0);
  }
  stop = () => {
    clearInterval(timer);
    scope.postMessage(seen);
  };
}
