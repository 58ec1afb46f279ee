/** What to type to mine here: address, worker, port and program in, a command line out. */
import { type Signal, useSignal } from "@preact/signals";
import { checkAddress, checksummed } from "../checksum.ts";
import { latency } from "../client.ts";
import {
  commandLine,
  type Endpoint,
  endpointText,
  type Program,
  script,
  WORKER,
} from "../commands.ts";
import { difficulty, NONE } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { Copy } from "../parts/copy.tsx";
import { Form, SelectField, TextField } from "../parts/field.tsx";
import { Frame, Section } from "../parts/frame.tsx";
import { Heading, State } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { recent } from "../recent.ts";
import { feedOf, useResource } from "../resource.ts";
import { go, hashText, place, withQuery } from "../router.ts";
import type { Connect } from "../types.ts";

const PINGS = 5;

/** What the first drawing is better for. */
export const ready = () => feedOf("/connect").refresh();

export default function ConnectPage() {
  const connect = useResource<Connect>({ path: "/connect", everyMs: 600_000 });
  const { data } = connect;
  return (
    <>
      <Heading text={t("connect.title")} />
      <p class="muted">{t("connect.text")}</p>
      <Frame of={connect}>
        {data !== undefined && data.endpoints.length === 0
          ? <p class="empty">{t("connect.empty")}</p>
          : <Generator connect={data} />}
        <Ports connect={data} />
        <Section title={t("connect.then")}>
          <ol class="steps">
            <li>{t("connect.then1")}</li>
            <li>{t("connect.then2")}</li>
            <li>{t("connect.then3")}</li>
          </ol>
          <p>
            <a href="/help">{t("connect.help")}</a>
          </p>
        </Section>
      </Frame>
    </>
  );
}

function Generator({ connect }: { connect: Connect | undefined }) {
  const { query, hash } = place.value;
  // The address stands behind the "#": what is there is never sent to a server, nor logged.
  const typed = useSignal(hashText(hash) || (recent.value[0] ?? ""));
  const endpoints = connect?.endpoints ?? [];
  const programs = connect?.programs ?? [];
  const worker = query.get("worker") ?? "rig-01";
  // TLS where there is any, but never another scheme than the pool's first by itself.
  const secure = endpoints.findIndex(({ tls, scheme }) => tls && scheme === endpoints[0]?.scheme);
  // By its host too: regions have the same ports.
  const endpoint = endpoints.find((one) => endpointText(one) === query.get("port")) ??
    endpoints[Math.max(0, secure)];
  const program = programs.find(({ name }) => name === query.get("program")) ??
    programs[0];
  const set = (changes: Record<string, string>) =>
    go(
      withQuery(changes) +
        (typed.value === "" ? "" : `#${encodeURIComponent(typed.value)}`),
      true,
    );
  return (
    <Form>
      <AddressField typed={typed} onDone={() => set({})} />
      <TextField
        id="worker"
        label={t("connect.worker")}
        hint={t("connect.workerHint")}
        maxLength={32}
        value={worker}
        bad={!WORKER.test(worker)}
        onInput={(text) => set({ worker: text })}
      />
      <SelectField
        label={t("connect.port")}
        value={endpoint && endpointText(endpoint)}
        onChange={(port) => set({ port })}
      >
        {endpoints.map((one) => (
          <option key={endpointText(one)} value={endpointText(one)}>
            {endpointText(one)} · {one.tls && "TLS · "}
            {t(`scheme.${one.scheme}`)}
          </option>
        ))}
      </SelectField>
      <SelectField
        label={t("connect.program")}
        value={program?.name ?? ""}
        onChange={(name) => set({ program: name })}
      >
        {programs.map(({ name }) => <option key={name} value={name}>{name}</option>)}
      </SelectField>
      <Line
        {...{ endpoint, program, worker, typed: typed.value }}
        getwork={connect?.getwork?.url}
      />
    </Form>
  );
}

function AddressField(
  { typed, onDone }: { typed: Signal<string>; onDone(): void },
) {
  const read = checkAddress(typed.value);
  const fault = "fault" in read && read.fault !== "empty" ? t(`address.${read.fault}`) : "";
  return (
    <TextField
      id="address"
      wide
      alert
      label={t("connect.address")}
      hint={fault}
      bad={fault !== ""}
      placeholder="0x…"
      value={typed.value}
      onInput={(text) => typed.value = text}
      onChange={onDone}
    />
  );
}

function Line({ endpoint, program, worker, typed, getwork }: {
  endpoint: Endpoint | undefined;
  program: Program | undefined;
  worker: string;
  typed: string;
  getwork: string | undefined;
}) {
  const read = checkAddress(typed);
  const ready = "address" in read && WORKER.test(worker);
  if (endpoint === undefined || program === undefined || !ready) {
    return <p class="notice wide" role="status">{t("connect.fill")}</p>;
  }
  const login = { address: checksummed(read.address), worker };
  const line = commandLine(program, endpoint, login);
  if (line === undefined) {
    return <p class="notice wide" role="status">{t("connect.noTls")}</p>;
  }
  const isCommand = !line.startsWith("URL ");
  const url = getwork?.replace("{address}", login.address).replace(
    "{worker}",
    worker,
  );
  return (
    <div class="wide">
      <div class="head">
        <h2>{t(isCommand ? "connect.line" : "connect.fields")}</h2>
        <Copy text={line} label={t("connect.copyLine")} />
      </div>
      <pre class="line" tabIndex={0}><code>{line}</code></pre>
      <p class="links">
        {isCommand && <Download name="mine.bat" text={script(line, "windows")} />}
        {isCommand && <Download name="mine.sh" text={script(line, "linux")} />}
        <a href={`/miner/${read.address}`}>{t("connect.mine")}</a>
      </p>
      {url !== undefined && (
        <p class="muted">
          {t("connect.getwork")} <code class="wrap">{url}</code>
        </p>
      )}
    </div>
  );
}

function Download({ name, text }: { name: string; text: string }) {
  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  }
  return <button type="button" onClick={save}>{t("connect.save", { name })}</button>;
}

function Ports({ connect }: { connect: Connect | undefined }) {
  /** By URL; "" is this server. Null while it is measured. */
  const took = useSignal<Record<string, number | undefined> | null>({});
  // A place without a URL of its own can be measured only where the page comes from.
  const urlOf = ({ host, ping }: Connect["endpoints"][number]) =>
    ping ?? (host === location.hostname.replace(/^\[|\]$/g, "") ? "" : null);
  async function measure() {
    const urls = new Set(connect?.endpoints.map(urlOf));
    const found: Record<string, number | undefined> = {};
    took.value = null;
    // One after the other: they would slow each other.
    for (const url of urls) {
      if (url !== null) found[url] = await latency(PINGS, url || undefined).catch(() => undefined);
    }
    took.value = found;
  }
  return (
    <Section
      title={t("connect.ports")}
      aside={
        <button type="button" onClick={measure} disabled={took.value === null}>
          {t(took.value === null ? "connect.measuring" : "connect.measure")}
        </button>
      }
    >
      <Table
        caption={t("connect.ports")}
        rows={connect?.endpoints}
        keyOf={(one) => endpointText(one)}
        empty={t("connect.empty")}
        columns={[
          {
            ...{ key: "address", name: t("connect.portAddress") },
            cell: (one) => (
              <span class="hash">
                {one.region}
                <code>{endpointText(one)}</code>
                <Copy
                  text={endpointText(one)}
                  label={t("connect.copyAddress")}
                  small
                />
              </span>
            ),
          },
          {
            ...{ key: "tls", name: t("connect.secure") },
            cell: (one) => (
              <State mood={one.tls ? "good" : "calm"}>
                {one.tls ? "TLS" : t("connect.plain")}
              </State>
            ),
          },
          {
            key: "scheme",
            name: t("scheme"),
            cell: (one) => t(`scheme.${one.scheme}`),
          },
          {
            ...{
              key: "difficulty",
              name: t("worker.difficulty"),
              number: true,
            },
            cell: (one) =>
              one.varDiff
                ? t("connect.varDiff", {
                  difficulty: difficulty(one.difficulty),
                })
                : difficulty(one.difficulty),
          },
          {
            ...{ key: "dialects", name: t("connect.dialects") },
            cell: (one) => one.dialects === "all" ? t("connect.all") : "EthereumStratum",
          },
          {
            ...{ key: "latency", name: t("connect.latency"), number: true },
            cell(one) {
              const ms = took.value?.[urlOf(one) ?? "none"];
              return ms === undefined ? NONE : t("connect.ms", { n: Math.max(1, Math.round(ms)) });
            },
          },
        ]}
      />
      <p class="muted">{t("connect.latencyNote")}</p>
    </Section>
  );
}
