/** What is sent to the pool, which checks it: the command and its words. */
export type AdminRequest = Record<string, unknown>;
