import { HealthctlError } from '../../lib/errors.ts';

/** ctrl-p ctrl-q */
const DEFAULT_KEYS: readonly number[] = [16, 17];

/** The control characters under Docker's names, in code order (moby/term ascii.go). */
const CONTROL_KEYS: readonly string[] = [...'@abcdefghijklmnopqrstuvwxyz[\\]^_'].map((key) => `ctrl-${key}`);

/**
 * The codes of `--detach-keys`, e.g. `ctrl-p,ctrl-q`, `ctrl-],x` or `DEL`; ctrl-p ctrl-q if it is absent or empty.
 *
 * @param what Docker's name for them: `detach` for a container, `escape` for an exec
 * @throws INVALID `Invalid detach keys (x) provided`
 */
export function parseDetachKeys(text: string | undefined, what: 'detach' | 'escape' = 'detach'): readonly number[] {
  if (text === undefined || text === '') return DEFAULT_KEYS;
  return text.split(',').map((key) => {
    const code = codeOf(key);
    if (code !== undefined) return code;
    throw new HealthctlError('INVALID', `Invalid ${what} keys (${text}) provided`, {
      hint: 'a sequence of characters and ctrl-X, separated by commas, e.g. ctrl-p,ctrl-q',
      exitCode: 1,
    });
  });
}

function codeOf(key: string): number | undefined {
  if (Buffer.byteLength(key) === 1) return key.charCodeAt(0);
  if (key === 'DEL') return 127;
  const code = CONTROL_KEYS.indexOf(key);
  return code < 0 ? undefined : code;
}

/** Finds the detach keys in the user's input. */
export interface DetachFilter {
  /**
   * The bytes to pass on now: the beginning of a possible sequence is held back. After `detached` it returns no more
   * bytes.
   */
  feed(bytes: Uint8Array): { readonly bytes: Buffer; readonly detached: boolean };
}

export function createDetachFilter(keys: readonly number[]): DetachFilter {
  // The bytes that match the keys so far.
  let held = 0;
  let detached = false;
  return {
    feed: (bytes) => {
      const passed: number[] = [];
      for (const byte of bytes) {
        if (detached) break;
        const next = advance(keys, held, byte);
        passed.push(...keys.slice(0, held), byte);
        passed.length -= next;
        held = next;
        detached = held === keys.length;
      }
      return { bytes: Buffer.from(passed), detached };
    },
  };
}

/** Number of matched keys after one more byte: the longest suffix of the input that is a prefix of the keys. */
function advance(keys: readonly number[], held: number, byte: number): number {
  const typed = [...keys.slice(0, held), byte];
  for (let length = typed.length; length > 0; length -= 1) {
    const end = typed.slice(typed.length - length);
    if (end.every((code, index) => code === keys[index])) return length;
  }
  return 0;
}
