import { ProtocolError } from './frames.ts';

/**
 * The lengths in bits of HPACK's codes for each byte and, last, for the end of a text (RFC 7541, appendix B), as runs
 * of `length*count`. The code is canonical: codes of one length are consecutive in byte order, after the shorter ones.
 */
const LENGTHS = (
  '13 23 28*7 24 30 28*2 30 28*8 30 28*9 6 10*2 12 13 6 8 11 10*2 8 11 8 6*3 5*3 6*7 7 8 15 6 12 10 13 6 7*22 8 7 8 13 19 13 14 ' +
  '6 15 5 6 5 6 5 6*3 5 7*2 6*3 5 6 7 6 5*2 6 7*5 15 11 14 13 28 20 22 20*2 22*3 23 22 23*5 24 23 24*2 22 23 24 23*4 21 22 23 22 ' +
  '23*2 24 22 21 20 22*2 23*2 21 23 22*2 24 21 22 23*2 21*2 22 21 23 22 23*2 20 22*3 23 22*2 23 26*2 20 19 22 23 22 25 26*3 27*2 ' +
  '26 24 25 19 21 26 27*2 26 27 24 21*2 26*2 28 27*3 20 24 20 21 22 21*2 23 22*2 25*2 24*2 26 23 26 27 26*2 27*5 28 27*5 26 30'
)
  .split(' ')
  .flatMap((run) => {
    const [length, count = '1'] = run.split('*');
    return Array<number>(Number(count)).fill(Number(length));
  });

const END = 256;
/**
 * Two numbers for each node, for the bits 0 and 1: the index of the next node, or −1 − byte at the end of a code. 0: no
 * code.
 */
type Tree = Int16Array;
const TREE = treeFrom(LENGTHS);

function treeFrom(lengths: readonly number[]): Tree {
  const tree = new Int16Array(2 * lengths.length);
  let nodes = 1;
  let code = 0;
  let previous = 0;
  const byLength = lengths
    .map((length, byte) => ({ length, byte }))
    .sort((a, b) => a.length - b.length || a.byte - b.byte);
  for (const { length, byte } of byLength) {
    code *= 2 ** (length - previous);
    previous = length;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      const slot = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (bit === 0) tree[slot] = -1 - byte;
      else {
        if (tree[slot] === 0) {
          tree[slot] = nodes;
          nodes += 1;
        }
        node = tree[slot] ?? 0;
      }
    }
    code += 1;
  }
  return tree;
}

/** Decodes a text compressed by HPACK (RFC 7541, section 5.2). Throws ProtocolError for invalid input. */
export function decodeHuffman(bytes: Uint8Array): string {
  const text: number[] = [];
  let node = 0;
  let depth = 0;
  let isOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const digit = (byte >> bit) & 1;
      const next = TREE[2 * node + digit] ?? 0;
      depth += 1;
      isOnes = isOnes && digit === 1;
      if (next > 0) {
        node = next;
        continue;
      }
      if (next === 0 || next === -1 - END) throw new ProtocolError('no Huffman code');
      text.push(-1 - next);
      node = 0;
      depth = 0;
      isOnes = true;
    }
  }
  // The remaining bits are a prefix of the end code, all ones, and fewer than eight.
  if (depth > 7 || !isOnes) throw new ProtocolError('a Huffman code that does not end');
  return Buffer.from(text).toString('latin1');
}
