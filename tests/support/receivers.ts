/** Receivers on loopback for alerts: an HTTP server that keeps bodies, and a real SMTP server. */
import { SMTPServer } from "smtp-server";

/** One request that came in. */
export interface Received {
  path: string;
  body: string;
  headers: Headers;
}

/** An HTTP server that answers with a status and remembers what it got. */
export function startHttpReceiver(status: () => number = () => 200) {
  const received: Received[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      received.push({ path: pathname, body: await request.text(), headers: request.headers });
      return new Response("{}", { status: status() });
    },
  );
  return {
    received,
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** A mail that an SMTP server took. */
export interface Mail {
  from: string;
  to: string[];
  text: string;
}

/** An SMTP server with one user, "pool" with password "secret". */
export async function startMailReceiver() {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...{ authOptional: false, disabledCommands: ["STARTTLS"], allowInsecureAuth: true },
    // deno-lint-ignore no-explicit-any -- the server's callbacks have no types
    onAuth(auth: any, _session: any, done: any) {
      if (auth.username === "pool" && auth.password === "secret") {
        return done(null, { user: "pool" });
      }
      done(new Error("wrong user or password"));
    },
    // deno-lint-ignore no-explicit-any -- as above
    onData(stream: any, { envelope }: any, done: any) {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      stream.on("end", () => {
        const text = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
        // deno-lint-ignore no-explicit-any -- as above
        const to = envelope.rcptTo.map((one: any) => one.address);
        mails.push({ from: envelope.mailFrom.address, to, text });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    mails,
    port: (server.server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
