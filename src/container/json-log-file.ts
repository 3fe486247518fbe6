import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, renameSync, writeSync } from 'node:fs';
import type { FaultReporter } from '../lib/fault-reporter.ts';
import type { LogLimit } from '../record/log-config.ts';
import { openOwnFile, setAside } from '../system/own-file.ts';

/** The known state of a file that is appended to. */
export interface Written {
  readonly inode: number;
  readonly size: number;
}

export interface JsonLogFile {
  /** Begins a new file first if this entry would exceed the limit. Throws system errors. */
  append(entry: Buffer): void;
  flush(): void;
  written(): Written;
  close(): void;
}

/** Number of bytes to collect before a write. */
const GATHERED_BYTES = 256 * 1024;

/**
 * Opens a container's json-file for appending. Data that an earlier writer appended without recording it is dropped: it
 * is copied again.
 *
 * @throws system errors
 */
export function openJsonLogFile(
  path: string,
  recorded: Written,
  options: FaultReporter & { readonly limit: LogLimit | undefined },
): JsonLogFile {
  const { limit } = options;
  let { fd, stats } = openOwnFile(path, constants.O_WRONLY | constants.O_APPEND, options);
  let size = Math.min(stats.size, stats.ino === recorded.inode ? recorded.size : 0);
  if (size < stats.size) ftruncateSync(fd, size);
  let gathered: Buffer[] = [];
  let waiting = 0;

  const flush = (): void => {
    const bytes = Buffer.concat(gathered);
    [gathered, waiting] = [[], 0];
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    size += bytes.length;
  };
  const begin = (maxFile: number): void => {
    flush();
    if (maxFile === 1) {
      ftruncateSync(fd, 0);
      size = 0;
      return;
    }
    for (let number = maxFile - 1; number > 0; number -= 1) {
      const [from, to] = [number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`];
      // A directory would stop all copying: rename(2) does not replace one by a file.
      setAside(to, 'not a regular file', options);
      if (isFile(from)) renameSync(from, to);
    }
    const full = fd;
    ({ fd, stats } = openOwnFile(path, constants.O_WRONLY | constants.O_APPEND, options));
    size = 0;
    closeSync(full);
  };
  return {
    append: (entry) => {
      const isFull = limit !== undefined && size + waiting > 0 && size + waiting + entry.length > limit.maxSize;
      if (isFull) begin(limit.maxFile);
      gathered.push(entry);
      waiting += entry.length;
      if (waiting >= GATHERED_BYTES) flush();
    },
    flush,
    written: () => ({ inode: fstatSync(fd).ino, size }),
    close: () => closeSync(fd),
  };
}

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
