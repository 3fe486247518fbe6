import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { HealthctlError } from '../lib/errors.ts';

/** The C library, by koffi: loaded at the first native call, because most commands make none. */
export interface Libc {
  /** Declares a function by its C prototype, once, e.g. `int flock(int fd, int operation)`. Strings are passed as `const char *`. */
  func(prototype: string): (...args: unknown[]) => number;
  /** errno of the last call that failed, e.g. 11. */
  errno(): number;
}

type Koffi = typeof import('koffi');

// In the bundle `require` is CommonJS's own.
const load = createRequire(typeof __filename === 'string' ? __filename : import.meta.url);
const prototypes = new Map<string, (...args: unknown[]) => number>();

/** Opens the C library of this process. Throws INTERNAL where koffi has no build for the machine. */
export function openLibc(): Libc {
  const koffi = loadKoffi();
  return {
    func: (prototype) => {
      const known = prototypes.get(prototype);
      if (known) return known;
      const made = koffi.load(null).func(prototype) as (...args: unknown[]) => number;
      prototypes.set(prototype, made);
      return made;
    },
    errno: () => koffi.errno(),
  };
}

/** What is used of koffi is in its native module itself. */
type NativeKoffi = Pick<Koffi, 'load' | 'errno'>;

let loaded: NativeKoffi | undefined;

function loadKoffi(): NativeKoffi {
  try {
    loaded ??= loadBuilt() ?? (load('koffi') as Koffi);
    return loaded;
  } catch (cause) {
    throw new HealthctlError('INTERNAL', 'the native module koffi cannot be loaded', {
      cause,
      hint: 'install healthctl with its dependencies: npm install -g healthctl-*.tgz',
    });
  }
}

/**
 * The build of koffi for this machine, where it lies in the usual place: koffi itself looks for it for 4 ms, by the headers of the program and
 * one package after the other; loading takes 1. Undefined elsewhere, and where musl may be the C library.
 */
function loadBuilt(): NativeKoffi | undefined {
  const { arch } = process;
  if (existsSync(`/lib/ld-musl-${MUSL_NAMES[arch] ?? arch}.so.1`)) return undefined;
  try {
    return load(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`) as NativeKoffi;
  } catch {
    return undefined; // koffi says what is wrong
  }
}

const MUSL_NAMES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** A path as C takes it, for a parameter that is declared `const void *`: bytes that end with NUL. */
export function cString(path: string | Buffer): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.alloc(1)]);
}

// Of two names for a number (EAGAIN, EWOULDBLOCK) the first is the one that Node.js reports.
const names = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** A Node.js style system error for the errno of the call that just failed: `code`, `errno`, `syscall`, `path`. */
export function systemError(libc: Libc, syscall: string, path?: string): NodeJS.ErrnoException {
  const number = libc.errno();
  const code = names.get(number) ?? `E${number}`;
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`);
  error.code = code;
  error.errno = -number;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return error;
}
