/**
 * Compiles modules/payouts/contracts/Multisend.sol into multisend_code.ts beside it.
 *
 *   deno run -A scripts/compile_multisend.ts
 */
// deno-lint-ignore-file no-explicit-any -- solc's answers have no types
import solc from "solc";

const FOLDER = new URL("../modules/payouts/contracts/", import.meta.url);

/** The contract's code (0x hex), as deployed and as it creates itself. @throws {Error} */
export async function compileMultisend(): Promise<{ creation: string; runtime: string }> {
  const content = await Deno.readTextFile(new URL("Multisend.sol", FOLDER));
  const input = {
    language: "Solidity",
    sources: { "Multisend.sol": { content } },
    settings: {
      optimizer: { enabled: true, runs: 1_000 },
      // Chains of this family are not all at Shanghai: no PUSH0.
      evmVersion: "istanbul",
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
    },
  };
  const output: any = JSON.parse((solc as any).compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter((one: any) => one.severity === "error");
  if (errors.length > 0) throw new Error(errors[0].formattedMessage);
  const { evm } = output.contracts["Multisend.sol"].Multisend;
  return { creation: `0x${evm.bytecode.object}`, runtime: `0x${evm.deployedBytecode.object}` };
}

/** The text of multisend_code.ts. */
export function fileOf({ creation, runtime }: { creation: string; runtime: string }): string {
  return `/** Multisend.sol as scripts/compile_multisend.ts compiled it; a test compiles it again. */

/** What a transaction without payee carries to create the contract (0x hex). */
export const MULTISEND_CREATION =
  "${creation}";

/** What the chain has at its address afterwards (0x hex). */
export const MULTISEND_RUNTIME =
  "${runtime}";
`;
}

if (import.meta.main) {
  const path = new URL("multisend_code.ts", FOLDER);
  await Deno.writeTextFile(path, fileOf(await compileMultisend()));
}
