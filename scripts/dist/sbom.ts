/** The bill of materials in CycloneDX's JSON (https://cyclonedx.org/docs/1.6/json/). */
import type { ThirdParty } from "./licences.ts";

/** What the bill is of. */
export interface Product {
  version: string;
  /** Seconds since 1970. */
  epoch: number;
}

/** The bill, the same text for the same parts. */
export function sbomText({ version, epoch }: Product, parties: readonly ThirdParty[]): string {
  const ref = `pkg:generic/quarry@${version}`;
  const components = parties.map(({ kind, name, version, licence, hash }) => ({
    ...{
      type: kind === "runtime" ? "application" : "library",
      "bom-ref": purlOf(kind, name, version),
    },
    ...{ name, version, purl: purlOf(kind, name, version) },
    ...(hash === undefined ? {} : { hashes: [hash] }),
    licenses: [{ expression: licence }],
  }));
  const bill = {
    ...{ $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", bomFormat: "CycloneDX" },
    ...{ specVersion: "1.6", version: 1 },
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        ...{ type: "application", "bom-ref": ref, name: "quarry", version },
        licenses: [{ expression: "GPL-3.0-or-later" }],
      },
    },
    components,
    dependencies: [{ ref, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
  return JSON.stringify(bill, null, 2) + "\n";
}

function purlOf(kind: ThirdParty["kind"], name: string, version: string): string {
  const type = kind === "runtime" ? "generic" : kind;
  return `pkg:${type}/${name.replace("@", "%40")}@${version}`;
}
