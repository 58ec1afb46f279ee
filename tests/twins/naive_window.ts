/** A naive twin of the ledger's books of shares: every share of the PPLNS window, one by one. */

/** A share as the twin sees it. */
export interface TwinShare {
  login: string;
  height: number;
  nonce: string;
  difficulty: bigint;
  scheme: "prop" | "pplns" | "solo";
  blockDifficulty: bigint;
}

/** How the window is cut: as the ledger's, from what the documents say. */
export interface TwinRules {
  windowMilli: bigint;
  slicesMax: number;
}

/** Sums of every scheme, kept the slow way. */
export class NaiveBooks {
  #window: { slice: number; login: string; difficulty: bigint }[] = [];
  #open = 1;
  #seen = new Set<string>();
  round = new Map<string, bigint>();
  solo = new Map<string, bigint>();
  roundShares: bigint | undefined;

  constructor(readonly rules: TwinRules, public highest: number) {}

  /** Takes a batch; gives each share's fate as one character, as the script does. */
  batch(shares: readonly TwinShare[]): string {
    this.highest = Math.max(this.highest, ...shares.map(({ height }) => height));
    const newest = shares.filter(({ scheme }) => scheme === "pplns")
      .sort((a, b) => a.height - b.height).at(-1);
    if (newest !== undefined) this.#drop(newest);
    const fates = shares.map((share) => this.#take(share));
    const grown = shares.some(({ scheme }, i) => scheme === "pplns" && fates[i] === "1");
    if (newest !== undefined && grown) this.#close(newest);
    return fates.join("");
  }

  /** Takes a found block; gives its round, or undefined for one that was seen before. */
  block(share: TwinShare): Map<string, bigint> | undefined {
    if (this.#seen.has(share.nonce)) return undefined;
    this.highest = Math.max(this.highest, share.height);
    if (share.scheme === "pplns") this.#drop(share);
    this.#take({ ...share, height: this.highest });
    if (share.scheme !== "solo") this.roundShares = undefined;
    if (share.scheme === "pplns") {
      this.#close(share);
      return this.window();
    }
    if (share.scheme === "solo") {
      const effort = this.solo.get(share.login)!;
      this.solo.delete(share.login);
      return new Map([[share.login, effort]]);
    }
    const round = this.round;
    this.round = new Map();
    return round;
  }

  /** The window's sums by login. */
  window(): Map<string, bigint> {
    const sums = new Map<string, bigint>();
    for (const { login, difficulty } of this.#window) add(sums, login, difficulty);
    return sums;
  }

  /** The window's slices that hold anything, by number. */
  slices(): Map<number, Map<string, bigint>> {
    const slices = new Map<number, Map<string, bigint>>();
    for (const { slice, login, difficulty } of this.#window) {
      if (!slices.has(slice)) slices.set(slice, new Map());
      add(slices.get(slice)!, login, difficulty);
    }
    return slices;
  }

  #take({ login, nonce, height, difficulty, scheme }: TwinShare): string {
    if (height + 7 <= this.highest) return "3";
    if (this.#seen.has(nonce)) return "2";
    this.#seen.add(nonce);
    if (scheme !== "solo") this.roundShares = (this.roundShares ?? 0n) + difficulty;
    if (scheme === "prop") add(this.round, login, difficulty);
    if (scheme === "solo") add(this.solo, login, difficulty);
    if (scheme === "pplns") this.#window.push({ slice: this.#open, login, difficulty });
    return "1";
  }

  #drop(share: TwinShare): void {
    for (;;) {
      const oldest = this.#window[0]?.slice ?? this.#open;
      const rest = this.#window.filter(({ slice }) => slice !== oldest);
      if (oldest === this.#open || total(rest) * 1_000n < this.#width(share)) return;
      this.#window = rest;
    }
  }

  #close(share: TwinShare): void {
    const oldest = this.#window[0]!.slice;
    const open = this.#window.filter(({ slice }) => slice === this.#open);
    if (total(open) * 64_000n < this.#width(share)) return;
    if (this.#open - oldest + 1 < this.rules.slicesMax) this.#open++;
  }

  /** In thousandths of a hash. */
  #width({ blockDifficulty }: TwinShare): bigint {
    return blockDifficulty * this.rules.windowMilli;
  }
}

function add(sums: Map<string, bigint>, login: string, difficulty: bigint): void {
  sums.set(login, (sums.get(login) ?? 0n) + difficulty);
}

function total(shares: { difficulty: bigint }[]): bigint {
  return shares.reduce((sum, { difficulty }) => sum + difficulty, 0n);
}
