import { HealthctlError } from '../../lib/errors.ts';
import { textMapIn } from '../../lib/shape.ts';

/** An entry of an archive, with a checked name. Texts are bytes in latin1. */
interface EntryFacts {
  /** The directories on its way, below the place of extraction; no `..`. */
  readonly directory: readonly string[];
  /** One component. */
  readonly name: Buffer;
  /** From the root: the place of extraction and its name. */
  readonly path: string;
  /** For messages. */
  readonly shownAs: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

export type Extracted = EntryFacts &
  (
    | { readonly kind: 'file' | 'directory' | 'fifo' }
    | { readonly kind: 'link' | 'symlink'; readonly target: Buffer }
    | {
        readonly kind: 'character-device' | 'block-device';
        readonly device: { readonly major: number; readonly minor: number };
      }
  );

/** The part of tar-stream's header that is used; names are latin1 unless a pax record has them. */
interface Header {
  readonly name: string;
  readonly type?: string | null | undefined;
  readonly linkname?: string | null | undefined;
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly mtime?: Date | undefined;
  readonly devmajor?: number | undefined;
  readonly devminor?: number | undefined;
  readonly pax?: unknown;
}

const XATTR_PREFIX = 'SCHILY.xattr.';
/** tar-stream reads records as UTF-8: other bytes are lost. */
const LOST = '\ufffd';

/**
 * Undefined for the place of extraction itself.
 *
 * @param place the place of extraction, and its name in messages
 * @throws CORRUPT for a name that leads out of it, INVALID for an unknown type
 */
export function parseEntry(
  header: Header,
  place: { readonly at: string; readonly called?: string },
): Extracted | undefined {
  const { at, called = at } = place;
  const { type } = header;
  const pax = textMapIn(header.pax);
  const text = pax.path === undefined ? header.name : latin1(header.name);
  const shownAs = Buffer.from(text, 'latin1').toString();
  const names = namesOf(text);
  if (!names) throw new HealthctlError('CORRUPT', `"${shownAs}" is outside of "${called}"`);
  const name = names.at(-1);
  if (name === undefined) return undefined;
  const facts: EntryFacts = {
    directory: names.slice(0, -1),
    name: Buffer.from(name, 'latin1'),
    path: [at, ...names].join('/'),
    shownAs: names.map((part) => Buffer.from(part, 'latin1').toString()).join('/'),
    mode: (header.mode ?? 0o644) & 0o7777,
    uid: idOf(pax.uid, header.uid),
    gid: idOf(pax.gid, header.gid),
    mtimeSeconds: mtimeOf(pax.mtime, header),
    xattrs: xattrsOf(pax),
  };
  switch (type) {
    case 'file':
    case 'contiguous-file':
    case undefined:
    case null:
      return { ...facts, kind: 'file' };
    case 'directory':
    case 'fifo':
      return { ...facts, kind: type };
    case 'link':
    case 'symlink':
      return { ...facts, kind: type, target: targetOf(pax.linkpath, header) };
    case 'character-device':
    case 'block-device':
      return { ...facts, kind: type, device: { major: header.devmajor ?? 0, minor: header.devminor ?? 0 } };
    default:
      throw new HealthctlError('INVALID', `the entry "${shownAs}" of the archive has an unsupported type`);
  }
}

const latin1 = (utf8: string): string => Buffer.from(utf8).toString('latin1');

/** Undefined for a path that leads out. An absolute one begins at the place of extraction, as in Docker. */
function namesOf(path: string): readonly string[] | undefined {
  const isAbsolute = path.startsWith('/');
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined && !isAbsolute) return undefined;
  }
  return names;
}

function targetOf(record: string | undefined, { linkname }: Header): Buffer {
  return Buffer.from(linkname ?? '', record === undefined ? 'latin1' : 'utf8');
}

function idOf(record: string | undefined, plain: number | undefined): number {
  return record !== undefined && /^\d+$/.test(record) ? Number(record) : (plain ?? 0);
}

function mtimeOf(record: string | undefined, { mtime }: Header): number {
  const seconds = record === undefined ? Number.NaN : Number(record);
  return Number.isFinite(seconds) ? seconds : Math.max(0, (mtime?.getTime() ?? 0) / 1000);
}

/** Those that mean nothing to the kernel or its file systems, and capabilities. */
function xattrsOf(pax: Readonly<Record<string, string>>): ReadonlyMap<string, Buffer> {
  const isKept = (name: string) => name === 'security.capability' || name.startsWith('user.');
  return new Map(
    Object.entries(pax).flatMap(([key, value]) => {
      const name = key.startsWith(XATTR_PREFIX) ? key.slice(XATTR_PREFIX.length) : '';
      return isKept(name) && !value.includes(LOST) ? [[name, Buffer.from(value)] as const] : [];
    }),
  );
}
