/** Self-signed certificates for tests, made on the spot: no tool, no network, no file in the tree. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate and its private key (PEM). */
export interface TestCertificate {
  cert: string;
  key: string;
}

const ECDSA_SHA256 = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
const COMMON_NAME = der(0x06, [0x55, 0x04, 0x03]);
const ALT_NAME = der(0x06, [0x55, 0x1d, 0x11]);

/**
 * Makes a certificate (ECDSA P-256) for "localhost" and 127.0.0.1 that is valid from 2020 until
 * `until`.
 */
export function makeCertificate(
  name: string,
  options: { until?: Date } = {},
): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = sequence(
    der(0x31, sequence(Buffer.concat([COMMON_NAME, der(0x0c, Buffer.from(name))]))),
  );
  const names = sequence(
    Buffer.concat([der(0x82, Buffer.from("localhost")), der(0x87, [127, 0, 0, 1])]),
  );
  const body = sequence(Buffer.concat([
    der(0xa0, der(0x02, [2])),
    der(0x02, [1, ...randomBytes(8)]),
    ECDSA_SHA256,
    subject,
    sequence(
      Buffer.concat([time(new Date("2020-01-01")), time(options.until ?? new Date("2049-01-01"))]),
    ),
    subject,
    publicKey.export({ type: "spki", format: "der" }) as Buffer,
    der(0xa3, sequence(sequence(Buffer.concat([ALT_NAME, der(0x04, names)])))),
  ]));
  const signature = sign("sha256", body, privateKey);
  const whole = sequence(
    Buffer.concat([body, ECDSA_SHA256, der(0x03, Buffer.concat([Buffer.of(0), signature]))]),
  );
  const lines = whole.toString("base64").match(/.{1,64}/g)!.join("\n");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** One DER value: tag, length, content (X.690, section 8.1). */
function der(tag: number, content: Uint8Array | number[]): Buffer {
  const bytes = Buffer.from(content);
  const { length } = bytes;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), bytes]);
}

function sequence(content: Uint8Array): Buffer {
  return der(0x30, content);
}

/** A time as UTCTime (RFC 5280, section 4.1.2.5.1). */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
