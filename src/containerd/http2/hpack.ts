import { ProtocolError } from './frames.ts';
import { decodeHuffman } from './huffman.ts';

/** Header fields by name, in lower case; of a repeated name, the last. */
export type HeaderFields = Readonly<Record<string, string>>;

/** RFC 7541, appendix A: `name` or `name=value`. */
const STATIC: readonly (readonly [name: string, value: string])[] = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|' +
  ':status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|' +
  'access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|' +
  'content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|' +
  'if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|' +
  'referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((entry) => {
    const [name = '', value = ''] = entry.split('=');
    return [name, value];
  });

/** RFC 9113, section 6.5.2: the size of the table until a setting of ours says otherwise, which none does. */
const MAX_TABLE_BYTES = 4_096;
/** The overhead of an entry beyond its texts (RFC 7541, section 4.1). */
const ENTRY_BYTES = 32;

/** Decodes the header blocks of one connection, in the order of arrival. */
export interface HeaderDecoder {
  /** Throws ProtocolError. */
  decode(block: Buffer): HeaderFields;
}

export function createHeaderDecoder(): HeaderDecoder {
  const table = createTable();
  return {
    decode: (block) => {
      const fields: Record<string, string> = Object.create(null);
      const input = createInput(block);
      while (!input.isAtEnd()) {
        const first = input.peek();
        if ((first & 0x80) !== 0) {
          const [name, value] = table.get(input.integer(7));
          fields[name] = value;
        } else if ((first & 0xe0) === 0x20) {
          table.resize(input.integer(5));
        } else {
          const isKept = (first & 0x40) !== 0;
          const index = input.integer(isKept ? 6 : 4);
          const name = index === 0 ? input.text() : table.get(index)[0];
          const value = input.text();
          if (isKept) table.add(name, value);
          fields[name] = value;
        }
      }
      return fields;
    },
  };
}

/** RFC 7541, section 2.3. */
function createTable() {
  const added: (readonly [name: string, value: string])[] = [];
  let size = 0;
  let maxSize = MAX_TABLE_BYTES;
  const sizeOf = ([name, value]: readonly [string, string]): number => name.length + value.length + ENTRY_BYTES;
  const shrink = (): void => {
    for (let last = added.at(-1); last && size > maxSize; last = added.at(-1)) {
      size -= sizeOf(last);
      added.pop();
    }
  };
  return {
    get: (index: number): readonly [name: string, value: string] => {
      const entry = index <= STATIC.length ? STATIC[index - 1] : added[index - STATIC.length - 1];
      if (!entry) throw new ProtocolError(`no header field of index ${index}`);
      return entry;
    },
    add: (name: string, value: string): void => {
      added.unshift([name, value]);
      size += sizeOf([name, value]);
      shrink();
    },
    resize: (bytes: number): void => {
      if (bytes > MAX_TABLE_BYTES) throw new ProtocolError(`a table of ${bytes} bytes`);
      maxSize = bytes;
      shrink();
    },
  };
}

/** RFC 7541, section 5. */
function createInput(block: Buffer) {
  let at = 0;
  const byte = (): number => {
    const value = block[at];
    if (value === undefined) throw new ProtocolError('a header block that was cut off');
    at += 1;
    return value;
  };
  const integer = (prefixBits: number): number => {
    const most = 2 ** prefixBits - 1;
    let value = byte() & most;
    if (value < most) return value;
    for (let shift = 0; ; shift += 7) {
      if (shift > 21) throw new ProtocolError('an integer that is too large');
      const next = byte();
      value += (next & 0x7f) << shift;
      if ((next & 0x80) === 0) return value;
    }
  };
  return {
    isAtEnd: (): boolean => at >= block.length,
    peek: (): number => block[at] ?? 0,
    integer,
    text: (): string => {
      const isCompressed = ((block[at] ?? 0) & 0x80) !== 0;
      const length = integer(7);
      if (at + length > block.length) throw new ProtocolError('a header block that was cut off');
      const bytes = block.subarray(at, at + length);
      at += length;
      return isCompressed ? decodeHuffman(bytes) : bytes.toString('latin1');
    },
  };
}

/** A header block without references, so that it is the same on every connection. */
export function encodeHeaders(fields: HeaderFields): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.of(0), encodeText(name), encodeText(value));
  }
  return Buffer.concat(parts);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeLength(bytes.length), bytes]);
}

function encodeLength(length: number): Buffer {
  const most = 127;
  if (length < most) return Buffer.of(length);
  const bytes = [most];
  let rest = length - most;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
