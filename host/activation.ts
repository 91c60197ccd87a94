/** Sockets that systemd opened for us (sd_listen_fds). */

const FIRST_DESCRIPTOR = 3;
const PUSH_NAMES = new Set(["push", "socket", "raw"]);

/** A socket that was handed over. */
export interface Activated {
  fd: number;
  /** What its name says that it is for; undefined if the name says nothing. */
  role: "push" | "http" | undefined;
}

/**
 * Finds the sockets that were handed over, and removes the variables so that nobody takes them again.
 * @param env environment variables; LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES are removed
 * @param pid this process' id: sockets meant for another are left alone
 */
export function takeActivated(env: NodeJS.ProcessEnv, pid: number): Activated[] {
  const count = Number(env.LISTEN_FDS ?? 0);
  const names = (env.LISTEN_FDNAMES ?? "").split(":");
  const ours = Number(env.LISTEN_PID) === pid;
  delete env.LISTEN_FDS;
  delete env.LISTEN_PID;
  delete env.LISTEN_FDNAMES;
  if (!ours || !Number.isInteger(count) || count < 1) return [];
  return Array.from({ length: count }, (_, i) => ({ fd: FIRST_DESCRIPTOR + i, role: roleOf(names[i] ?? "") }));
}

/** Names are chosen in the .socket unit (FileDescriptorName); by default they are the unit's own. */
function roleOf(name: string): "push" | "http" | undefined {
  const word = name.toLowerCase();
  if (word.includes("http") || word.includes("metrics")) return "http";
  return PUSH_NAMES.has(word) ? "push" : undefined;
}
