import { readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../lib/errors.ts';
import { realPath } from './real-path.ts';

/** Longest path of a socket (sun_path of unix(7), without its terminator). */
export const MAX_SOCKET_PATH_BYTES = 107;
/** The kernel's own limit. */
const MAX_LINKS = 40;

/**
 * The path of a socket without symbolic links and `..`, so that one socket has one name, as in nerdctl
 * (pkg/clientutil/clientutil.go, DataStore). The socket itself need not exist: its server may be down. A link is kept
 * if the path behind it is too long for a socket.
 *
 * @param path absolute
 */
export function realSocketPath(path: string): string {
  const real = realPath(path) ?? followed(resolve(path));
  return Buffer.byteLength(real) > MAX_SOCKET_PATH_BYTES ? path : real;
}

function followed(path: string): string {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const directory = dirname(at);
    at = join(realPath(directory) ?? directory, basename(at));
    const target = linkTarget(at);
    if (target === undefined) return at;
    at = resolve(dirname(at), target);
  }
  return path;
}

/** Undefined if it is no link or cannot be inspected. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
