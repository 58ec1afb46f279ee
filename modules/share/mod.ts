/**
 * Judgement: a submission comes in, a verdict goes out.
 * A verdict is a value of a closed union. This room never touches Redis and never replies.
 */
export * from "./judge.ts";
export * from "./seen.ts";
export * from "./submission.ts";
export * from "./verdict.ts";
