/** The browser's wallet, as EIP-1193 has it. */

interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}

/** Whether there is one. */
export function hasWallet(): boolean {
  return provider() !== undefined;
}

function provider(): Provider | undefined {
  return (globalThis as { ethereum?: Provider }).ethereum;
}

/** Has typed data signed by an address. @throws {Error} when the wallet lacks it or is told no */
export async function signTypedData(
  address: string,
  typedData: unknown,
): Promise<string> {
  const wallet = provider();
  if (wallet === undefined) throw new Error("no wallet in this browser");
  const accounts = await wallet.request({
    method: "eth_requestAccounts",
  }) as string[];
  if (!accounts.some((one) => one.toLowerCase() === address)) {
    throw new WrongAccount(accounts[0]);
  }
  const params = [address, JSON.stringify(typedData)];
  return await wallet.request({
    method: "eth_signTypedData_v4",
    params,
  }) as string;
}

/** The wallet has another account open. */
export class WrongAccount extends Error {
  constructor(readonly account: string | undefined) {
    super("the wallet has another account open");
  }
}
