/** Docker: daemon/health.go maxOutputLen. */
export const MAX_OUTPUT_BYTES = 4096;

const NOTHING = Buffer.alloc(0);

/** Collects the first bytes of an output of any length in bounded memory. */
export interface BoundedOutput {
  add(bytes: Uint8Array): void;
  /**
   * The first 4096 bytes as text, followed by `...` if there were more. Each byte of invalid UTF-8 becomes a U+FFFD, as
   * in Go's encoding/json.
   */
  text(): string;
}

export function createBoundedOutput(maxBytes = MAX_OUTPUT_BYTES): BoundedOutput {
  let kept = NOTHING;
  let length = 0;
  let hasMore = false;
  return {
    add: (bytes) => {
      if (kept.length === 0) kept = Buffer.alloc(maxBytes);
      const room = Math.min(bytes.length, maxBytes - length);
      kept.set(bytes.subarray(0, room), length);
      length += room;
      hasMore ||= bytes.length > room;
    },
    text: () => (length === 0 ? '' : decodeUtf8(kept.subarray(0, length)) + (hasMore ? '...' : '')),
  };
}

/** Decodes one valid UTF-8 sequence at a time; each byte that begins none becomes a U+FFFD. */
function decodeUtf8(bytes: Buffer): string {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return strict.decode(bytes);
  } catch {
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const length = sequenceLength(bytes, at);
      text += length === 0 ? '\uFFFD' : bytes.toString('utf8', at, at + length);
      at += Math.max(1, length);
    }
    return text;
  }
}

/** The length of the valid sequence at `at`; 0 if there is none (RFC 3629, section 4). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const [length, low, high] = lead(first);
  if (length === 0) return 0;
  for (let i = 1; i < length; i += 1) {
    const byte = bytes[at + i];
    const [from, to] = i === 1 ? [low, high] : [0x80, 0xbf];
    if (byte === undefined || byte < from || byte > to) return 0;
  }
  return length;
}

/** Length of the sequence that this byte begins, and the range of its second byte. */
function lead(first: number): readonly [length: number, low: number, high: number] {
  if (first >= 0xc2 && first <= 0xdf) return [2, 0x80, 0xbf];
  if (first === 0xe0) return [3, 0xa0, 0xbf];
  if (first === 0xed) return [3, 0x80, 0x9f];
  if (first >= 0xe1 && first <= 0xef) return [3, 0x80, 0xbf];
  if (first === 0xf0) return [4, 0x90, 0xbf];
  if (first >= 0xf1 && first <= 0xf3) return [4, 0x80, 0xbf];
  if (first === 0xf4) return [4, 0x80, 0x8f];
  return [0, 0, 0];
}
