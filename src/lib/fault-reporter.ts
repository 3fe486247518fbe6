/*
 * Access to the files that healthctl itself writes. A FIFO, a directory or a link under such a name, put there by a damaged file system or
 * by somebody else, must not block a process, fill its memory, or lead it to another file.
 *
 * INVARIANTS
 * 1. Files are opened with O_NOFOLLOW and O_NONBLOCK, and used only when fstat(2) says that they are regular. Node.js adds O_CLOEXEC.
 * 2. No more than a given number of bytes is read.
 * 3. What is not a regular file of a plausible size is renamed, never removed: `exit.json` → `exit.json.not-ours-1f3a9b2c`.
 */

/** Is told in words, with the path, of a file that cannot be used. Default: nobody is told. */
export type OnFault = (text: string) => void;

/** Where a record of a container or network may be read from: `dirs` of any context. */
export interface FaultReporter {
  readonly onFault?: OnFault | undefined;
}
