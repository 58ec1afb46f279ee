/** A port's certificate and key: read from their files, watched, and replaced only by a pair that works. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Clock, type Logger, PoolError } from "../../base/mod.ts";

/** Where a port's certificate chain and its private key are (PEM files). */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** Keeps the pair that new connections get; running ones go on with what they began with. */
export class CertificateStore {
  readonly #files: CertificateFiles;
  readonly #deps: { log: Logger; clock: Clock };
  #context: SecureContext;
  /** State of the files that the context was made of, or that was found broken and said to be. */
  #settled: string;
  /** State of the files at the poll before, when it did not work. */
  #suspect: string | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(
    files: CertificateFiles,
    deps: { log: Logger; clock: Clock },
    loaded: { context: SecureContext; stamp: string },
  ) {
    this.#files = files;
    this.#deps = deps;
    this.#context = loaded.context;
    this.#settled = loaded.stamp;
  }

  /** Reads the pair. @throws {PoolError} that names the file and the mend */
  static async open(
    files: CertificateFiles,
    deps: { log: Logger; clock: Clock },
  ): Promise<CertificateStore> {
    const stamp = await stampOf(files);
    const context = await load(files, deps);
    return new CertificateStore(files, deps, { context, stamp });
  }

  /** What a new TLS connection is made with. */
  get context(): SecureContext {
    return this.#context;
  }

  /**
   * Takes the files up when they changed. Two files cannot change at once: a pair that does not
   * work is an error only when it is still the same at the next poll.
   */
  poll(): Promise<void> {
    return this.#inTurn(async () => {
      const stamp = await stampOf(this.#files);
      if (stamp === this.#settled) return void (this.#suspect = undefined);
      await this.#take(stamp, stamp === this.#suspect);
    });
  }

  /** Reads the files again now. Gives false, with a log line, when they do not work. */
  reload(): Promise<boolean> {
    return this.#inTurn(async () => await this.#take(await stampOf(this.#files), true));
  }

  async #take(stamp: string, isFinal: boolean): Promise<boolean> {
    try {
      this.#context = await load(this.#files, this.#deps);
      this.#settled = stamp;
      this.#suspect = undefined;
      return true;
    } catch (error) {
      this.#suspect = stamp;
      if (!isFinal) return false;
      this.#settled = stamp;
      this.#deps.log.error("port.certificateNotTaken", {
        ...{ error, file: this.#files.cert },
        note: "the certificate read before stays in use",
      });
      return false;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#reading.then(work);
    this.#reading = turn.catch(() => {});
    return turn;
  }
}

/**
 * Digest of what the files hold: two writes may fall into one tick of the file system's clock, and a
 * link that points elsewhere is a change too.
 */
async function stampOf({ cert, key }: CertificateFiles): Promise<string> {
  const stamps = await Promise.all([cert, key].map(async (path) => {
    try {
      return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
    } catch {
      return "missing";
    }
  }));
  return stamps.join(" ");
}

async function load(
  { cert, key }: CertificateFiles,
  { log, clock }: { log: Logger; clock: Clock },
): Promise<SecureContext> {
  const [certText, keyText] = await Promise.all([readPem("cert", cert), readPem("key", key)]);
  const [certificate] = attempt(
    () => chainOf(certText),
    `tls.cert: ${cert} is not whole PEM certificates, the server's own first; copy it again`,
  );
  const privateKey = attempt(
    () => createPrivateKey(keyText),
    `tls.key: ${key} holds no private key that can be read; it must be PEM without a passphrase`,
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new PoolError(
      `tls.key: ${key} is not the key of ${cert}; put the pair there that was made together`,
    );
  }
  const context = attempt(
    () => createSecureContext({ cert: certText, key: keyText }),
    `tls.cert: ${cert} with ${key} cannot serve TLS`,
  );
  const { subject, validTo } = certificate;
  log.info("port.certificate", { file: cert, subject, validTo });
  if (Date.parse(validTo) < clock.now()) {
    log.error("port.certificateExpired", {
      ...{ file: cert, validTo },
      note: "miners will refuse it: renew it, it is taken up without a restart",
    });
  }
  return context;
}

/** Every certificate of a chain, because a context is made of a broken one without a word. */
function chainOf(text: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  const [first, ...others] = blocks.map((block) => new X509Certificate(block));
  if (first === undefined) throw new PoolError("No certificate in the file");
  return [first, ...others];
}

async function readPem(field: "cert" | "key", path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new PoolError(
      `tls.${field}: ${path} cannot be read; check that it is there and the pool may read it`,
      { cause },
    );
  }
}

function attempt<T>(make: () => T, message: string): T {
  try {
    return make();
  } catch (cause) {
    throw new PoolError(message, { cause });
  }
}
