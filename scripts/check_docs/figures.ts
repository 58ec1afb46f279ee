/** Tables that documents have from scripts/scale.ts, between two marks. */
import { TABLES } from "../scale/tables.ts";

const TABLE = /(<!-- table: (\w+) -->)[\s\S]*?(<!-- end of table -->)/g;

/** The text with its tables computed anew. @throws {Error} when a table has no such name */
export function renewFigures(text: string): string {
  return text.replace(TABLE, (_, start: string, name: string, end: string) => {
    const make = TABLES[name];
    if (make === undefined) throw new Error(`scripts/scale/tables.ts has no table ${name}`);
    return `${start}\n\n${make()}\n\n${end}`;
  });
}
