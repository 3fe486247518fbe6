import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHttpResponseReader } from './http-response.ts';

/** The state of the reader after a text in these pieces, followed by the end of the connection if it `ends`. */
function read(pieces: readonly (string | Uint8Array)[], ends = true) {
  const reader = createHttpResponseReader();
  for (const piece of pieces) reader.feed(Buffer.from(piece as string, 'latin1'));
  if (ends) reader.end();
  return { state: reader.state(), status: reader.statusCode(), text: reader.text() };
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const done = { kind: 'done' };

describe('a response', () => {
  test.each<[string, string, boolean, string]>([
    ['a length', `${OK}Content-Length: 3\r\n\r\nabcdef`, false, 'HTTP 200 OK: abc'],
    ['no body', `${OK}content-length:0\r\n\r\n`, false, 'HTTP 200 OK'],
    ['the same length twice', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, false, 'HTTP 200 OK: abc'],
    ['no length', `${OK}\r\nabc`, true, 'HTTP 200 OK: abc'],
    ['no length, no body', `${OK}\r\n`, true, 'HTTP 200 OK'],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 1\n\nabc', false, 'HTTP 200 OK: a'],
    [
      'chunks',
      `${CHUNKED}3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n`,
      false,
      'HTTP 200 OK: abc0123456789',
    ],
    [
      'chunks and a length',
      `${OK}Content-Length: 1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`,
      false,
      'HTTP 200 OK: ab',
    ],
    ['another encoding', `${OK}Transfer-Encoding: gzip\r\n\r\nabc`, true, 'HTTP 200 OK: abc'],
    [
      'interim responses',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}\r\nabc`,
      true,
      'HTTP 200 OK: abc',
    ],
    [
      'other protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc',
      false,
      'HTTP 101 Switching Protocols',
    ],
    [
      'a status without a body',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
      false,
      'HTTP 304 Not Modified',
    ],
    ['no reason', 'HTTP/1.1 200\r\n\r\n', true, 'HTTP 200'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nabc', true, 'HTTP 200 OK: abc'],
    [
      'a long body',
      `${OK}Content-Length: 10737418240\r\n\r\n${'x'.repeat(5000)}`,
      false,
      `HTTP 200 OK: ${'x'.repeat(4096)}...`,
    ],
  ])('is complete with %s', (_, text, ends, expected) => {
    expect(read([text], ends)).toMatchObject({ state: done, text: expected });
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /^the connection ended before the response$/],
    ['half a head', OK, /^the connection ended before the response$/],
    ['half a body', `${OK}Content-Length: 3\r\n\r\nab`, /^the connection ended before the end of the response$/],
    ['half a chunk', `${CHUNKED}3\r\na`, /^the connection ended before the end of the response$/],
    ['no last chunk', `${CHUNKED}1\r\na\r\n`, /^the connection ended before the end of the response$/],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /^the answer is not HTTP\/1\.1: "SSH-2.0-OpenSSH_9.2\\r\\n"$/],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', /^the answer is not HTTP\/1\.1/],
    ['no status', 'HTTP/1.1 OK\r\n\r\n', /^the answer is not HTTP\/1\.1: "HTTP\/1.1 OK"$/],
    [
      'two lengths',
      `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`,
      /^the response has no valid Content-Length$/,
    ],
    ['a negative length', `${OK}Content-Length: -1\r\n\r\n`, /^the response has no valid Content-Length$/],
    ['a chunk without size', `${CHUNKED}\r\n`, /^a chunk of the response has no size$/],
    ['a chunk that is too long', `${CHUNKED}1\r\nab\r\n`, /^a chunk of the response is longer than its size$/],
    ['an endless size', `${CHUNKED}${'0'.repeat(2000)}`, /^a chunk of the response has no size$/],
    [
      'chunks with endless extensions',
      `${CHUNKED}${`1;${'x'.repeat(900)}\r\ny\r\n`.repeat(100)}`,
      /^the response has no end in its first 65536 bytes$/,
    ],
    ['an endless head', `${OK}${'x: y\r\n'.repeat(3000)}`, /^the head of the response is larger than 16384 bytes$/],
    ['an endless line', OK.repeat(1) + 'x'.repeat(20_000), /^the head of the response is larger than 16384 bytes$/],
  ])('is refused: %s', (_, text, reason) => {
    expect(read([text]).state).toEqual({ kind: 'broken', reason: expect.stringMatching(reason) });
  });

  test('that is garbage is refused at its first byte', () => {
    expect(read(['\x17'], false).state.kind).toBe('broken');
  });

  test.each([
    ['an alert of TLS', '\x15\x03\x01\0\x02\x02F', 'the server speaks TLS, and was asked without it'],
    ['SETTINGS of HTTP/2', '\0\0\0\x04\0\0\0\0\0', 'the server speaks HTTP/2 and not HTTP/1.1'],
  ])('is refused with the name of the other protocol: %s', (_, text, reason) => {
    expect(read([...text], false).state).toEqual({ kind: 'broken', reason });
  });

  test('gives the same result however it is cut', () => {
    const part = fc.constantFrom(
      ...[OK, CHUNKED, '\r\n', '3\r\nabc\r\n', '0\r\n\r\n', 'Content-Length: 3\r\n', 'abc', '\n'],
    );
    const text = fc.array(fc.oneof(part, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.boolean(), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (parts, ends, sizes) => {
        const whole = parts.join('');
        const pieces: string[] = [];
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value;
          pieces.push(whole.slice(at, at + size));
          at += size;
        }
        const [inPieces, atOnce] = [read(pieces, ends), read([whole], ends)];
        // Of an answer other than HTTP, the quoted part is what had arrived by then.
        const reasonOf = ({ state }: typeof atOnce) => (state.kind === 'broken' ? state.reason.split(': ')[0] : '');
        expect({ ...inPieces, state: inPieces.state.kind }).toEqual({ ...atOnce, state: atOnce.state.kind });
        expect(reasonOf(inPieces)).toBe(reasonOf(atOnce));
      }),
      { numRuns: 1000 },
    );
  });

  test('with a chunked body is read completely', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 300 }), { maxLength: 8 }), (chunks) => {
        const body = chunks.map((chunk) => Buffer.from(chunk));
        const bytes = Buffer.concat([
          Buffer.from(CHUNKED),
          ...body.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
          Buffer.from('0\r\n\r\n'),
        ]);
        const text = chunks.join('');
        expect(read([bytes], false)).toMatchObject({
          state: done,
          text: text === '' ? 'HTTP 200 OK' : `HTTP 200 OK: ${text}`,
        });
      }),
    );
  });
});
