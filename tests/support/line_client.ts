/** A miner at the wire: sends lines, reads lines, and knows what two dialects say. */
import assert from "node:assert/strict";

/** A connection that speaks lines. */
export class LineClient {
  /** First digits of every nonce, in dialects that have them. */
  extranonce = "";
  /** Header of the newest job, 0x and 64 digits. */
  headerHash = "";
  jobId = "";
  #rest = "";
  #id = 10;

  constructor(readonly conn: Deno.TcpConn) {}

  /** Connects and says nothing. */
  static async connect(port: number): Promise<LineClient> {
    return new LineClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Connects, logs in as eth-proxy and asks for work. */
  static async ethProxy(port: number, login: string): Promise<LineClient> {
    const client = await LineClient.connect(port);
    assert.equal((await client.ask("eth_submitLogin", [login, "x"])).result, true);
    const { result } = await client.ask("eth_getWork", []);
    client.headerHash = (result as string[])[0]!;
    return client;
  }

  /** Connects, logs in as EthereumStratum/1.0.0 and waits for the first job. */
  static async stratum1(port: number, login: string): Promise<LineClient> {
    const client = await LineClient.connect(port);
    const { result } = await client.ask("mining.subscribe", ["t/1", "EthereumStratum/1.0.0"]);
    client.extranonce = (result as string[])[1]!;
    assert.equal((await client.ask("mining.authorize", [login, "x"])).result, true);
    while (client.jobId === "") client.#hear(JSON.parse((await client.line())!));
    return client;
  }

  /** Sends a request and gives its answer; what is pushed meanwhile is heard. */
  async ask(method: string, params?: unknown): Promise<Record<string, unknown>> {
    const id = this.#id++;
    await this.send(JSON.stringify({ id, method, params }));
    while (true) {
      const line = await this.line();
      assert.notEqual(line, null, `no answer to ${method}`);
      const message = JSON.parse(line!);
      if (message.id === id) return message;
      this.#hear(message);
    }
  }

  /** Submits the digits of a nonce after the extranonce; gives "true" or the refusal's words. */
  async submitPart(digits: string): Promise<string> {
    return outcome(await this.ask("mining.submit", ["x", this.jobId, digits]));
  }

  /** Submits nonce, header and mix digest; gives "true" or the refusal's words. */
  async submitWhole(nonce: string, header: string, mix: string): Promise<string> {
    return outcome(await this.ask("eth_submitWork", [nonce, header, mix]));
  }

  /** Sends one line. */
  async send(line: string): Promise<void> {
    const bytes = new TextEncoder().encode(line + "\n");
    for (let sent = 0; sent < bytes.length;) sent += await this.conn.write(bytes.subarray(sent));
  }

  /** The next line, or null when the pool closed the connection. */
  async line(): Promise<string | null> {
    const buffer = new Uint8Array(4_096);
    while (!this.#rest.includes("\n")) {
      const size = await this.conn.read(buffer);
      if (size === null) return null;
      this.#rest += new TextDecoder().decode(buffer.subarray(0, size));
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  /** Closes the connection. */
  close(): void {
    this.conn.close();
  }

  #hear({ method, params }: { method?: string; params?: unknown[] }): void {
    if (method !== "mining.notify") return;
    this.jobId = String(params![0]);
    this.headerHash = "0x" + params![2];
  }
}

function outcome({ result, error }: Record<string, unknown>): string {
  if (result === true) return "true";
  return String(Array.isArray(error) ? error[1] : (error as { message: string }).message);
}
