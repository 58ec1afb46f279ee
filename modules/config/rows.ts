/** The usual rows of the configuration's schema, each with its default and what it means. */
import { z } from "zod";
import { duration, listen } from "./scalars.ts";

/** A switch. */
export const flag = (value: boolean, text: string) => z.boolean().default(value).describe(text);

/** A whole number within bounds. */
export const count = (value: number, text: string, min = 0, max = 1_000_000_000) =>
  z.int().min(min).max(max).default(value).describe(text);

/** A duration in Go's notation → milliseconds. */
export const pause = (value: string, text: string) => duration.prefault(value).describe(text);

/** An address to listen on. */
export const port = (value: string, text: string) => listen.prefault(value).describe(text);

/** A path; relative ones start at the folder of the file. */
export const filePath = (text: string) => z.string().min(1).optional().describe(text);
