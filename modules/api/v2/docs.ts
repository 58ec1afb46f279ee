/** The browsable reference: one page made from the OpenAPI document, without scripts or requests. */
import { html, raw } from "hono/html";

/** What the page reads of an OpenAPI document. */
interface Document {
  info: { title: string; description?: string | undefined };
  paths?: unknown;
  components?: unknown;
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
}

interface Operation {
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>;
}

/** The page's style, served beside it. */
export const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code { font-family: ui-monospace, monospace; }
details { border: 1px solid #7a8793; border-radius: 8px; margin: 8px 0; padding: 8px 12px; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: 4px 8px; border-top: 1px solid #7a8793; }
`;

/** The page of a document. */
export function docsPage(document: Document) {
  const paths = Object.entries((document.paths ?? {}) as Record<string, Record<string, Operation>>);
  const schemas = (document.components as { schemas?: Record<string, Schema> })?.schemas ?? {};
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${document.info.title}</title>
        <link rel="stylesheet" href="docs.css">
      </head>
      <body>
        <main>
    <h1>${document.info.title}</h1>
    <p>${document.info.description ?? ""}</p>
    <p>For programs: <a href="openapi.json">openapi.json</a>. Lists go on with
    <code>?before=</code> and what <code>nextCursor</code> said. Ask again with
    <code>If-None-Match</code>: 304 when nothing has changed.</p>
    <h2>Endpoints</h2>
    ${paths.flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => operationHtml(path, method, operation))
    )}
    <h2>Schemas</h2>
    ${Object.entries(schemas).map(([name, schema]) => schemaHtml(name, schema))}
        </main>
      </body>
    </html>
  `;
}

function operationHtml(path: string, method: string, operation: Operation) {
  const rows = (operation.parameters ?? []).map(({ name, in: place, schema }) =>
    html`
      <tr>
        <td><code>${name}</code></td>
        <td>${place}</td>
        <td>${typeOf(schema)}</td>
      </tr>
    `
  );
  const answers = Object.entries(operation.responses).map(([status, { description, content }]) => {
    const [type, body] = Object.entries(content ?? {})[0] ?? ["", undefined];
    return html`
      <tr>
        <td>${status}</td>
        <td>${type} ${typeOf(body?.schema)}</td>
        <td>${description}</td>
      </tr>
    `;
  });
  return html`<details id="${method}${path}"><summary><code>${method.toUpperCase()}
${path}</code> ${operation.summary ?? ""}</summary>
${
    rows.length === 0
      ? ""
      : html`<table><tr><th>parameter</th><th>in</th><th>type</th></tr>${rows}</table>`
  }
<table><tr><th>status</th><th>body</th><th>meaning</th></tr>${answers}</table></details>`;
}

function schemaHtml(name: string, schema: Schema) {
  return html`
    <details id="${name}">
      <summary><code>${name}</code></summary>
      <table><tr><th>field</th><th>type</th><th>meaning</th></tr>${rowsOf("", schema)}</table>
    </details>
  `;
}

function rowsOf(prefix: string, schema: Schema): unknown[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = field.properties !== undefined ? field : field.items ?? {};
    const list = field.items === undefined ? "" : "[]";
    const path = `${prefix}${name}${list}`;
    return [
      html`
        <tr>
          <td><code>${path}</code></td>
          <td>${typeOf(field)}</td>
          <td>${field.description ?? ""}</td>
        </tr>
      `,
      ...rowsOf(`${path}.`, inner),
    ];
  });
}

/** A type in words, with a link where it has a name. */
function typeOf(schema: Schema | undefined): unknown {
  if (schema === undefined) return "";
  const { $ref, type, items, enum: values, anyOf, allOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1)!;
    return html`<a href="#${name}">${name}</a>`;
  }
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(" | ");
  const parts = anyOf ?? allOf;
  if (parts !== undefined) return parts.map((part) => html`${typeOf(part)} ${raw("")}`);
  if (items !== undefined) return html`list of ${typeOf(items)}`;
  const text = Array.isArray(type) ? type.join(" | ") : type ?? "";
  return schema.default === undefined ? text : `${text}, default ${JSON.stringify(schema.default)}`;
}
