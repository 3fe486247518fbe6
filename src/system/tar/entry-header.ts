import { tarPadding } from '../../lib/tar-header.ts';

/** An entry of a tar archive. Names are bytes: they need not be UTF-8. */
export interface TarEntry {
  /** With a slash at the end for a directory. */
  readonly name: Buffer;
  readonly kind: 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';
  /** Permissions with set-user-id, set-group-id and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file; 0 for others. */
  readonly size: number;
  /** Whole seconds. */
  readonly mtimeSeconds: number;
  /** Of a symbolic link, or the entry to which a link leads. */
  readonly target?: Buffer;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes by name, e.g. `security.capability`. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

const TAR_BLOCK = 512;
const NAME_BYTES = 100;
/** The largest values of octal fields of 8 and 12 bytes. */
const MAX_OCTAL_8 = 0o7777777;
const MAX_OCTAL_12 = 0o77777777777;

const TYPES: Readonly<Record<TarEntry['kind'], string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

/**
 * The header of an entry (POSIX ustar), with another one before it where a value does not fit: pax for numbers and
 * attributes; GNU's for long names, because names in pax are UTF-8, and files may have others.
 */
export function entryHeader(entry: TarEntry): Buffer {
  const { name, target } = entry;
  return Buffer.concat([
    ...paxBlocks(entry),
    ...(target && target.length > NAME_BYTES ? extraBlocks('K', withNul(target)) : []),
    ...(name.length > NAME_BYTES ? extraBlocks('L', withNul(name)) : []),
    ustar(entry, TYPES[entry.kind]),
  ]);
}

const withNul = (name: Buffer): Buffer => Buffer.concat([name, Buffer.alloc(1)]);

function paxBlocks({ uid, gid, size, mtimeSeconds, xattrs }: TarEntry): readonly Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Buffer) => records.push(paxRecord(key, Buffer.from(value)));
  if (uid > MAX_OCTAL_8) add('uid', String(uid));
  if (gid > MAX_OCTAL_8) add('gid', String(gid));
  if (size > MAX_OCTAL_12) add('size', String(size));
  if (mtimeSeconds < 0 || mtimeSeconds > MAX_OCTAL_12) add('mtime', String(mtimeSeconds));
  for (const [key, value] of xattrs ?? []) add(`SCHILY.xattr.${key}`, value);
  return records.length === 0 ? [] : extraBlocks('x', Buffer.concat(records));
}

/** `length key=value\n`; the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function extraBlocks(type: string, body: Buffer): readonly Buffer[] {
  const entry: TarEntry = {
    ...{ name: Buffer.from('././@LongLink'), kind: 'file', mode: 0o644, uid: 0, gid: 0 },
    ...{ size: body.length, mtimeSeconds: 0 },
  };
  return [ustar(entry, type), body, tarPadding(body.length)];
}

function ustar(entry: TarEntry, type: string): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, at: number, length: number) => {
    const max = length === 8 ? MAX_OCTAL_8 : MAX_OCTAL_12;
    const shown = value >= 0 && value <= max ? value : 0; // else in a pax record
    block.write(`${shown.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  entry.name.copy(block, 0, 0, NAME_BYTES);
  octal(entry.mode, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.mtimeSeconds, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  entry.target?.copy(block, 157, 0, NAME_BYTES);
  block.write('ustar\x0000', 257, 'latin1');
  octal(entry.device?.major ?? 0, 329, 8);
  octal(entry.device?.minor ?? 0, 337, 8);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
