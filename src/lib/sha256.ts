/**
 * SHA-256 of a text (FIPS 180-4), in hexadecimal. For names that a short command needs: loading Node.js's own takes 3
 * ms, a tenth of a whole `ps`. Digests of content use Node.js's own.
 */
export function sha256Hex(text: string): string {
  const state = Uint32Array.from(INITIAL);
  const blocks = paddedFrom(new TextEncoder().encode(text));
  for (let at = 0; at < blocks.byteLength; at += BLOCK_BYTES)
    addBlock(state, new DataView(blocks.buffer, at, BLOCK_BYTES));
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

const BLOCK_BYTES = 64;
const ROUNDS = 64;

/** Section 5.1.1: the bit 1, zeros, and the length in bits as 64 bits at the end of a block. */
function paddedFrom(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  return padded;
}

/** Sections 4.2.2 and 5.3.3: the first 32 fractional bits of the roots of the first primes. */
const PRIMES = firstPrimes(ROUNDS);
const INITIAL = PRIMES.slice(0, 8).map((prime) => fractionBits(Math.sqrt(prime)));
const CONSTANTS = Uint32Array.from(PRIMES, (prime) => fractionBits(Math.cbrt(prime)));

function fractionBits(value: number): number {
  return Math.floor((value % 1) * 2 ** 32);
}

function firstPrimes(count: number): readonly number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** Section 6.2.2. */
function addBlock(state: Uint32Array, block: DataView): void {
  const words = scheduleOf(block);
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < ROUNDS; t += 1) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const first = (h + sum1 + choice + (CONSTANTS[t] ?? 0) + (words[t] ?? 0)) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + sum0 + majority) | 0];
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + word;
}

function scheduleOf(block: DataView): Int32Array {
  const words = new Int32Array(ROUNDS);
  for (let t = 0; t < 16; t += 1) words[t] = block.getInt32(t * 4);
  const word = (t: number): number => words[t] ?? 0;
  for (let t = 16; t < ROUNDS; t += 1) {
    const sigma0 = rotate(word(t - 15), 7) ^ rotate(word(t - 15), 18) ^ (word(t - 15) >>> 3);
    const sigma1 = rotate(word(t - 2), 17) ^ rotate(word(t - 2), 19) ^ (word(t - 2) >>> 10);
    words[t] = word(t - 16) + sigma0 + word(t - 7) + sigma1;
  }
  return words;
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
