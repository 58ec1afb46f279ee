/** How many kills a seeded test makes: its own number, or more when asked. */

/** Kills in all that `QUARRY_KILLS` asks for, split over the seeded tests; never fewer than `own`. */
export function killsWanted(own: number): number {
  const text = Deno.env.get("QUARRY_KILLS");
  if (text === undefined) return own;
  if (!/^\d{1,6}$/.test(text)) throw new Error(`QUARRY_KILLS is no number: "${text}"`);
  return Math.max(own, Math.ceil(Number(text) / SEEDED_TESTS));
}

/** Tests that ask. */
const SEEDED_TESTS = 2;
