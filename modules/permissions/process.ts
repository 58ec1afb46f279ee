/** The rights of quarry's processes: the pool itself and the commands for its operator. */
import { dirname } from "node:path";
import { type Config, stateDir } from "../config/mod.ts";
import { keyRights } from "../payouts/mod.ts";
import {
  addressesIn,
  alertsNet,
  both,
  type Net,
  nodesNet,
  pathsIn,
  redisNet,
} from "./addresses.ts";
import { folderAbove, realPathOf } from "./real_path.ts";
import { stateDirs } from "./workers.ts";

/** What one process may do; an empty list means nothing of that kind. */
export interface ProcessRights {
  net: Net;
  read: string[];
  write: string[];
  env: string[];
  run: string[];
  ffi: string[];
  /** What it may ask of the system beside its name. */
  sys?: string[];
}

/** Commands that take a configuration. */
export const CONFIG_COMMANDS = [
  "pool",
  "admin",
  "doctor",
  "audit",
  "ledger",
  "migrate",
  "payouts",
  "dag",
] as const;
/** A command that takes a configuration. */
export type ConfigCommand = typeof CONFIG_COMMANDS[number];

/** Where the program itself lies, and what it was started with. */
export interface Place {
  /** The folder of main.ts. */
  root: string;
  /** The native verifier's file. */
  library: string;
  /** The configuration's file. */
  config: string;
  /** Files named by the environment or the configuration that hold secrets of it. */
  secretFiles: readonly string[];
  /** Variables that hold secrets of the configuration. */
  secretVariables: readonly string[];
  /** Files that a command's arguments name. */
  argumentFiles: readonly string[];
  env(name: string): string | undefined;
}

/** Variables of the service manager, and the one by which the Go pool settled payments. */
const SERVICE_VARIABLES = [
  ...["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "RUNTIME_DIRECTORY"],
  ...["CREDENTIALS_DIRECTORY", "RESOLVE_PAYOUT"],
];
/** Where a command finds the name of who runs it. */
const USER_VARIABLES = ["SUDO_USER", "USER", "LOGNAME"];
/** What scripts/quarry tells the doctor of the machine. */
const SHELL_VARIABLES = ["QUARRY_FILES", "QUARRY_HUGE_PAGES", "QUARRY_CPU"];
/** Programs that put banned addresses into the firewall; run only when one is configured. */
const FIREWALL_PROGRAMS = { ipset: "/usr/sbin/ipset", nftables: "/usr/sbin/nft" } as const;

/** The least rights that a command needs with this configuration. */
export function processRights(
  command: ConfigCommand,
  config: Config,
  place: Place,
): ProcessRights {
  const base = commonRights(config, place);
  switch (command) {
    case "pool":
      return poolRights(config, place, base);
    case "admin": {
      const { folders, net } = adminPaths(config);
      const read = [place.config, ...place.secretFiles, ...folders];
      const env = [...place.secretVariables, ...USER_VARIABLES];
      return { ...{ net, read, write: folders, env }, run: [], ffi: [] };
    }
    case "doctor": {
      const { files, variables } = keyRights(config.payouts.signer, place.env);
      return {
        ...base,
        net: both(
          ...[base.net, nodesNet(config), listening(config), moneyNet(config)],
          adminPaths(config).net,
        ),
        read: [
          ...[...base.read, ...pathsIn(config), ...files, ...stateDirs(config), place.library],
          ...[`${place.root}/frontend/dist`, ...adminPaths(config).folders],
          // Whose free space is that of a folder which is not there yet.
          ...(config.verifier.dag === "file" ? [folderAbove(config.verifier.dir)] : []),
        ],
        // A socket is asked by writing to it.
        write: [...base.write, ...stateDirs(config), ...adminPaths(config).folders],
        ...{ env: [...base.env, ...variables, ...SHELL_VARIABLES], ffi: [place.library] },
        sys: ["statfs", "systemMemoryInfo"],
      };
    }
    case "payouts":
      return {
        ...base,
        net: both(base.net, nodesNet(config), moneyNet(config)),
        ...{
          read: [...base.read, ...stateDirs(config)],
          write: [...base.write, ...stateDirs(config)],
        },
      };
    case "dag":
      return {
        ...base,
        net: both(base.net, nodesNet(config)),
        read: [...base.read, config.verifier.dir, place.library],
        write: [...base.write, config.verifier.dir],
        ffi: [place.library],
      };
    case "ledger": {
      // An export is renamed when it is whole, which needs both rights.
      const files = place.argumentFiles.flatMap((file) => [file, `${file}.partial`]);
      return { ...base, read: [...base.read, ...files], write: [...base.write, ...files] };
    }
    default:
      return base;
  }
}

function commonRights({ redis }: Config, place: Place): ProcessRights {
  const socket = [redis.endpoint, redis.replica ?? ""].filter((path) => path.startsWith("/"));
  return {
    net: redisNet(redis),
    read: [place.config, ...place.secretFiles, ...socket],
    write: socket,
    env: [...place.secretVariables],
    ...{ run: [], ffi: [] },
  };
}

/** A worker's rights are part of its process's, so the process has the sum of them. */
function poolRights(config: Config, place: Place, base: ProcessRights): ProcessRights {
  const { api, proxy, payouts, verifier } = config;
  const { files, variables } = keyRights(payouts.enabled ? payouts.signer : undefined, place.env);
  const mines = proxy.enabled || proxy.stratum.enabled;
  const isFile = verifier.dag === "file" && mines;
  const { firewall } = proxy.policy.banning;
  const certificates = proxy.stratum.ports.flatMap(({ tls }) => tls ? [tls.cert, tls.key] : []);
  const admin = adminPaths(config);
  const written = [
    ...[...stateDirs(config), ...admin.folders],
    ...(isFile ? [verifier.dir] : []),
  ];
  const service = notifyPaths(config, place);
  return {
    net: both(
      ...[base.net, nodesNet(config), listening(config), moneyNet(config)],
      ...[alertsNet(config.alerts), service.map((path) => `unix:${path}`), admin.net],
    ),
    read: [
      ...[...base.read, ...written, ...files, ...certificates, ...service],
      // Where Deno workers begin, and the page.
      `${place.root}/modules`,
      ...(api.enabled ? [api.static ?? `${place.root}/frontend/dist`] : []),
      ...(mines ? [place.library] : []),
    ],
    write: [...base.write, ...written, ...service],
    env: [...new Set([...base.env, ...variables, ...SERVICE_VARIABLES])],
    run: mines && firewall !== undefined ? [FIREWALL_PROGRAMS[firewall.kind]] : [],
    ffi: mines ? [place.library] : [],
  };
}

/** The operator's socket, and the folder that is made for it. */
function adminPaths({ api: { adminSocket } }: Config): { folders: string[]; net: string[] } {
  if (adminSocket === undefined) return { folders: [], net: [] };
  return { folders: [dirname(adminSocket)], net: [`unix:${adminSocket}`] };
}

/** The service manager's socket and ours that speaks to it. */
function notifyPaths(config: Config, { env }: Place): string[] {
  const theirs = env("NOTIFY_SOCKET");
  if (theirs === undefined || !theirs.startsWith("/")) return [];
  return [theirs, realPathOf(theirs), ownNotifySocket(stateDir(config), env)];
}

/** Where the socket lies from which the service manager hears of this process. */
export function ownNotifySocket(
  stateFolder: string,
  env: (name: string) => string | undefined,
): string {
  // systemd lists several folders with colons between them; the first one is as good as any.
  const folder = env("RUNTIME_DIRECTORY")?.split(":")[0] ?? stateFolder;
  return `${folder}/notify.sock`;
}

/** Every door that the configuration opens; who may call it is no address of ours. */
function listening({ proxy, api, metrics, health }: Config): string[] {
  const { listen, ...others } = proxy;
  return addressesIn([
    ...[others, proxy.enabled ? listen : undefined],
    api.enabled ? { ...api, cors: [] } : undefined,
    ...[metrics, health],
  ]);
}

function moneyNet({ unlocker, payouts }: Config): string[] {
  const { signer } = payouts;
  return addressesIn([
    ...(unlocker.enabled ? [unlocker.daemon, unlocker.confirmWith] : []),
    ...(payouts.enabled ? [payouts.daemon, signer?.kind === "remote" && signer.url] : []),
  ]);
}
