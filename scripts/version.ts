/** The version of quarry; `deno.json` is the one place that says it. */
import denoJson from "../deno.json" with { type: "json" };

/** As in the name of the archive. */
export const VERSION: string = denoJson.version;

if (import.meta.main) {
  const line = `quarry ${VERSION} (Deno ${Deno.version.deno}, ${Deno.build.target})\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
