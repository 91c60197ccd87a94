/** The command line and its environment variables, made into options. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Command } from "commander";
import { FatalError, STATUS_USAGE, ValueError } from "./errors.js";
import {
  DEFAULT_LISTEN,
  type Options,
  parseAddress,
  parseCount,
  parseDuration,
  parseLimitedDuration,
  parseMode,
  parseSize,
  parseSocketPath,
  parseWord,
  TTL_LIMIT_MS,
} from "./options.js";

const KIB = 1024;
const COUNT_LIMIT = 1_000_000;

interface Definition<Key extends keyof Options> {
  key: Key;
  /** What follows the option's name in the help. */
  value: string;
  description: string;
  /** The default as a user would write it; undefined: decided when the daemon starts. */
  default?: string;
  /** What the help says instead of the default. */
  defaultText?: string;
  /** Parses one value; for a repeatable option, one element. */
  parse: (text: string) => unknown;
  repeatable?: boolean;
  hidden?: boolean;
}

/** One entry for each option; its flag and variable are made from the flag's name. */
const DEFINITIONS: Readonly<Record<string, Definition<keyof Options>>> = {
  socket: {
    key: "sockets",
    value: "<path>",
    description: "Unix socket that metrics are pushed to; repeatable",
    defaultText: "push-gateway.sock in $RUNTIME_DIRECTORY, /run (root), $XDG_RUNTIME_DIR or the temp folder",
    parse: parseSocketPath,
    repeatable: true,
  },
  "socket-mode": {
    key: "socketMode",
    value: "<mode>",
    description: "file mode of the Unix sockets",
    default: "0660",
    parse: parseMode,
  },
  listen: {
    key: "listen",
    value: "<address>",
    description: "address that /metrics is served on: host:port, :port or unix:/path; repeatable",
    defaultText: DEFAULT_LISTEN,
    parse: parseAddress,
    repeatable: true,
  },
  "cache-size": {
    key: "cacheBytes",
    value: "<size>",
    description: "memory for metrics, all that grows with data",
    default: "10KiB",
    parse: (text) => parseSize(text, KIB, KIB ** 3),
  },
  ttl: {
    key: "ttlMs",
    value: "<duration>",
    description: "how long a metric lives after its last push, or never to keep it",
    default: "1m",
    parse: (text) => parseDuration(text, TTL_LIMIT_MS),
  },
  "when-full": {
    key: "whenFull",
    value: "<action>",
    description: "what a new metric does to a full cache: evict or reject",
    default: "evict",
    parse: (text) => parseWord(text, ["evict", "reject"]),
  },
  timestamps: {
    key: "timestamps",
    value: "<action>",
    description: "what happens to the timestamps of samples: drop or keep",
    default: "drop",
    parse: (text) => parseWord(text, ["drop", "keep"]),
  },
  "max-line": {
    key: "maxLineBytes",
    value: "<size>",
    description: "longest line that is taken",
    default: "4KiB",
    parse: (text) => parseSize(text, 16, KIB ** 2),
  },
  "max-connections": {
    key: "maxConnections",
    value: "<count>",
    description: "push connections open at once",
    default: "1024",
    parse: (text) => parseCount(text, 1, COUNT_LIMIT),
  },
  "idle-timeout": {
    key: "idleTimeoutMs",
    value: "<duration>",
    description: "close a push connection that has been silent for so long",
    default: "never",
    parse: (text) => parseDuration(text),
  },
  "max-http-connections": {
    key: "maxHttpConnections",
    value: "<count>",
    description: "HTTP connections open at once",
    default: "64",
    parse: (text) => parseCount(text, 1, COUNT_LIMIT),
  },
  "max-scrapes": {
    key: "maxScrapes",
    value: "<count>",
    description: "scrapes answered at once",
    default: "16",
    parse: (text) => parseCount(text, 1, COUNT_LIMIT),
  },
  "max-header-size": {
    key: "maxHeaderBytes",
    value: "<size>",
    description: "largest header of an HTTP request",
    default: "8KiB",
    parse: (text) => parseSize(text, 256, KIB ** 2),
  },
  "max-body": {
    key: "maxBodyBytes",
    value: "<size>",
    description: "largest body of an HTTP request",
    default: "64KiB",
    parse: (text) => parseSize(text, 0, KIB ** 3),
  },
  "header-timeout": {
    key: "headerTimeoutMs",
    value: "<duration>",
    description: "longest wait for the header of an HTTP request",
    default: "10s",
    parse: parseLimitedDuration,
  },
  "keep-alive": {
    key: "keepAliveMs",
    value: "<duration>",
    description: "how long an idle HTTP connection is kept",
    default: "90s",
    parse: parseLimitedDuration,
  },
  "stall-timeout": {
    key: "stallTimeoutMs",
    value: "<duration>",
    description: "cut off a scraper that has not read for so long",
    default: "30s",
    parse: parseLimitedDuration,
  },
  "log-level": {
    key: "logLevel",
    value: "<level>",
    description: "error, warn, info or debug",
    default: "info",
    parse: (text) => parseWord(text, ["error", "warn", "info", "debug"]),
  },
  "log-format": {
    key: "logFormat",
    value: "<format>",
    description: "text or json",
    default: "text",
    parse: (text) => parseWord(text, ["text", "json"]),
  },
  read: {
    key: "read",
    value: "<mode>",
    description: "how push sockets are read: window or data",
    default: "window",
    parse: (text) => parseWord(text, ["window", "data"]),
    hidden: true,
  },
};

type Given = Record<string, string | string[] | undefined>;

/**
 * Makes the options from the command line, the environment and the defaults, in this order of precedence.
 * @param args arguments without node and script
 * @param env environment variables; an empty one counts as unset
 * @returns the options, or undefined if help or version was asked for and printed
 * @throws FatalError with status 2 and one line for anything that is wrong
 */
export function parseCommandLine(args: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
  // Without arguments there is nothing to parse, and commander would be 2 MiB of memory for nothing.
  const given = args.length === 0 ? {} : parseArguments(args);
  if (given === undefined) return undefined;
  const options: Partial<Record<keyof Options, unknown>> = {};
  for (const [name, definition] of Object.entries(DEFINITIONS)) {
    options[definition.key] = settingOf(name, definition, given[camelCase(name)], env);
  }
  return options as unknown as Options;
}

/** What commander finds; undefined if it printed help or version. */
function parseArguments(args: readonly string[]): Given | undefined {
  const { CommanderError } = loadCommander();
  const command = createCommand();
  try {
    command.parse(args as string[], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new FatalError(error.message.replace(/^error: /, "").replace(/\s+/g, " "), STATUS_USAGE);
  }
  return command.opts<Given>();
}

/** The value of one option, from wherever it was given. */
function settingOf(
  name: string,
  definition: Definition<keyof Options>,
  given: string | string[] | undefined,
  env: NodeJS.ProcessEnv,
): unknown {
  if (given !== undefined) return parseAs(`--${name}`, definition, given);
  const variable = variableOf(name);
  const text = env[variable]?.trim() ?? "";
  if (text !== "") return parseAs(variable, definition, definition.repeatable ? text.split(/\s*,\s*/) : text);
  return definition.default === undefined ? undefined : parseAs(`--${name}`, definition, definition.default);
}

function parseAs(where: string, definition: Definition<keyof Options>, value: string | string[]): unknown {
  try {
    return typeof value === "string" ? definition.parse(value) : value.map((element) => definition.parse(element));
  } catch (error) {
    if (error instanceof ValueError) throw new FatalError(`${where}: ${error.message}`, STATUS_USAGE);
    throw error;
  }
}

/** The commander program: only names, texts and help; values and variables are handled here. */
function createCommand(): Command {
  const { Command, Option } = loadCommander();
  const command = new Command("push-gateway")
    .description("Takes Prometheus metrics on a Unix socket, keeps them for a while, and serves them on /metrics.")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  for (const [name, definition] of Object.entries(DEFINITIONS)) {
    const fallback = definition.defaultText ?? definition.default ?? "";
    const note = `(default: ${fallback}, env: ${variableOf(name)})`;
    const option = new Option(`--${name} ${definition.value}`, `${definition.description} ${note}`);
    if (definition.repeatable) {
      option.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    }
    command.addOption(definition.hidden ? option.hideHelp() : option);
  }
  command.addHelpText(
    "after",
    "\nSizes are written 10KiB, 4096 or 1MiB; durations 90s, 5m, 24h or never; lists in variables with commas.",
  );
  return command;
}

/** Loads commander when it is needed; require costs less memory than import, which parses CommonJS for its exports. */
function loadCommander(): typeof import("commander") {
  return createRequire(import.meta.url)("commander");
}

/** The environment variable of an option. */
function variableOf(name: string): string {
  return `PUSH_GATEWAY_${name.replaceAll("-", "_").toUpperCase()}`;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The version of this package.
 * @returns the version in package.json
 */
export function version(): string {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
