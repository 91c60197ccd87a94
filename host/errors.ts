/** Errors that end the program: one clear line on standard error, and an exit status. */

/** Exit status of a bad option or argument. */
export const STATUS_USAGE = 2;
/** Exit status of everything else that keeps the daemon from serving. */
export const STATUS_FAILURE = 1;

/** An error whose message is all that a user needs: it is printed without a stack. */
export class FatalError extends Error {
  /** Exit status of the process. */
  readonly status: number;

  /**
   * @param message one line, without the program's name
   * @param status exit status, 1 by default
   * @param cause the system's error behind it, if any
   */
  constructor(message: string, status: number = STATUS_FAILURE, cause?: unknown) {
    super(message, { cause });
    this.name = "FatalError";
    this.status = status;
  }
}

/** A value that an option cannot have. The message names neither option nor variable: the command line adds it. */
export class ValueError extends Error {
  /** @param message what is wrong with the value, without the option's name */
  constructor(message: string) {
    super(message);
    this.name = "ValueError";
  }
}

/**
 * The code of a system error.
 * @param error anything that was thrown
 * @returns the code, such as "ENOENT", or "" if it has none
 */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/**
 * What an error says, on one line.
 * @param error anything that was thrown
 * @returns its message without line ends
 */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*[\r\n]+\s*/g, " ");
}
