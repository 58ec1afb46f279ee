/** An error that the development chain answers with: code and words as geth gives them. */

/** A JSON-RPC error. */
export class RpcFault extends Error {
  override readonly name = "RpcFault";

  constructor(readonly code: number, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
