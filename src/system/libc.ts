import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { HealthctlError } from '../lib/errors.ts';

/** The C library, through koffi: loaded at the first native call, because most commands make none. */
export interface Libc {
  /**
   * Declares a function by its C prototype, e.g. `int flock(int fd, int operation)`; call it once per function. Strings
   * are passed as `const char *`.
   */
  func(prototype: string): (...args: unknown[]) => number;
  /** errno of the last failed call, e.g. 11. */
  errno(): number;
}

type Koffi = typeof import('koffi');

// In the bundle, `require` is CommonJS's own.
const load = createRequire(typeof __filename === 'string' ? __filename : import.meta.url);
const prototypes = new Map<string, (...args: unknown[]) => number>();

/** Opens the C library of this process. Throws INTERNAL if koffi has no build for the machine. */
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

/** The parts of koffi that we use are in its native module. */
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
 * koffi's build for this machine, if it is at the usual path: koffi itself searches for 4 ms, through program headers
 * and one package after the other; loading takes 1 ms. Undefined if it is elsewhere, or if musl may be the C library.
 */
function loadBuilt(): NativeKoffi | undefined {
  const { arch } = process;
  if (existsSync(`/lib/ld-musl-${MUSL_NAMES[arch] ?? arch}.so.1`)) return undefined;
  try {
    return load(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`) as NativeKoffi;
  } catch {
    return undefined; // koffi reports the error
  }
}

const MUSL_NAMES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** A path for a C parameter declared as `const void *`: bytes that end with NUL. */
export function cString(path: string | Buffer): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.alloc(1)]);
}

// If a number has two names (EAGAIN, EWOULDBLOCK), the first is the one that Node.js reports.
const names = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** A system error in Node.js's form for the errno of the call that just failed: `code`, `errno`, `syscall`, `path`. */
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
