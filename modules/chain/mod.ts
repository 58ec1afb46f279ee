/**
 * Networks and nodes: what a chain pays by height, and typed calls to Ethereum nodes.
 * Heights, hashes and JSON-RPC answers come in; rewards, blocks and fates of submissions go out.
 * This room never decides who is paid, never signs, and never touches Redis.
 */
export { followHeads, type HeadsOptions } from "./heads.ts";
export { NETWORKS } from "./network_table.ts";
export * from "./networks.ts";
export * from "./reward.ts";
export { createRpc, NodeError, type NodeErrorKind, type NodeOptions, type Rpc } from "./rpc.ts";
export type { Block, Log, NodeWork, Receipt, Transaction } from "./read.ts";
export { type Push, readPush } from "./read_push.ts";
export { type BlockId, createNode, type Node, type Work } from "./node.ts";
export { createNodes, type NodeAnswer, type NodeHealth, type Nodes } from "./nodes.ts";
export type { LookOptions, NodeLook } from "./look.ts";
export { resolveNetwork, type ResolveOptions } from "./resolve.ts";
