/** A real Chromium, with a profile of its own that is thrown away. */
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";

/** Whether this machine has it. */
export const hasChromium = await Deno.stat(PROGRAM).then(
  () => true,
  () => false,
);

/** Starts it; each context is a fresh profile. */
export async function startChromium(): Promise<Browser & AsyncDisposable> {
  return await chromium.launch({
    executablePath: PROGRAM,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...[
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    ],
  });
}
