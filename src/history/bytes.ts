import { HealthctlError } from '../lib/errors.ts';

/** Writes numbers and texts in few bytes: numbers as in Protocol Buffers, base 128, the lowest group first. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }
  get length(): number {
    return this.#length;
  }
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }
  /** @param value a whole number from 0 to 2^53 − 1 */
  uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }
  /** @param value a whole number of at most 52 bits, with a sign */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }
  /** @param maxBytes a longer text is cut between two characters */
  text(value: string, maxBytes: number): void {
    let bytes = Buffer.from(value, 'utf8');
    if (bytes.length > maxBytes) bytes = bytes.subarray(0, characterStart(bytes, maxBytes));
    this.uint(bytes.length);
    this.bytes(bytes);
  }
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }
  /** All that was written, valid until the next write. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
  clear(): void {
    this.#length = 0;
  }
  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** The start of the character that contains this byte, so that none is cut. */
function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start;
}

/** Reads what a ByteWriter wrote. All methods throw CORRUPT at the end of the bytes. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }
  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw corrupt();
    this.#at += 1;
    return value;
  }
  uint(): number {
    let value = 0;
    let scale = 1;
    for (let groups = 0; groups < 8; groups += 1) {
      const group = this.byte();
      value += (group & 0x7f) * scale;
      if (group < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw corrupt();
        return value;
      }
      scale *= 0x80;
    }
    throw corrupt();
  }
  int(): number {
    const value = this.uint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
  text(): string {
    return this.bytes(this.uint()).toString('utf8');
  }
  /** All that has not been read. */
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#at);
  }
  bytes(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw corrupt();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

const corrupt = (): HealthctlError => new HealthctlError('CORRUPT', 'a part of the history is damaged');
