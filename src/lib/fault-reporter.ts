/*
 * Access to healthctl's own files. A FIFO, a directory or a link under such a name, from a damaged file system or
 * another user, must not block a process, fill its memory, or lead it to another file.
 *
 * INVARIANTS
 * 1. Files are opened with O_NOFOLLOW and O_NONBLOCK, and used only if fstat(2) says that they are regular. Node.js
 *    adds O_CLOEXEC.
 * 2. No more than a given number of bytes is read.
 * 3. Anything but a regular file of a plausible size is renamed, never removed: `exit.json` →
 *    `exit.json.not-ours-1f3a9b2c`.
 */

/** Receives a message, with the path, about a file that cannot be used. Default: none. */
export type OnFault = (text: string) => void;

/** The context of a function that reads the record of a container or network: `dirs` of any context. */
export interface FaultReporter {
  readonly onFault?: OnFault | undefined;
}
