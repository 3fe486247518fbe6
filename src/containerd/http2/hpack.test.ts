import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from './frames.ts';
import { createHeaderDecoder, encodeHeaders } from './hpack.ts';
import { decodeHuffman } from './huffman.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('decoding header blocks', () => {
  test('requests with Huffman coding and a growing table (RFC 7541, appendix C.4)', () => {
    const decoder = createHeaderDecoder();
    expect(decoder.decode(bytes('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))).toEqual({
      ...{ ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'www.example.com' },
    });
    expect(decoder.decode(bytes('8286 84be 5886 a8eb 1064 9cbf'))).toMatchObject({
      ...{ ':authority': 'www.example.com', 'cache-control': 'no-cache' },
    });
    expect(decoder.decode(bytes('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'))).toMatchObject({
      ...{ ':path': '/index.html', ':authority': 'www.example.com', 'custom-key': 'custom-value' },
    });
  });

  test('answers with a table too small for all fields (RFC 7541, appendix C.6)', () => {
    const decoder = createHeaderDecoder();
    decoder.decode(bytes('3fe101')); // the size of the table in the examples: 256 bytes
    expect(
      decoder.decode(
        bytes(
          '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        ),
      ),
    ).toEqual({
      ':status': '302',
      'cache-control': 'private',
      date: 'Mon, 21 Oct 2013 20:13:21 GMT',
      location: 'https://www.example.com',
    });
    expect(decoder.decode(bytes('4883 640e ffc1 c0bf'))).toMatchObject({
      ...{ ':status': '307', date: 'Mon, 21 Oct 2013 20:13:21 GMT', location: 'https://www.example.com' },
    });
    expect(
      decoder.decode(
        bytes(
          '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        ),
      ),
    ).toMatchObject({
      ':status': '200',
      'content-encoding': 'gzip',
      'set-cookie': 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    });
  });

  test('a block that we encoded gives the same fields', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/);
    const value = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 600,
    });
    fc.assert(
      fc.property(fc.dictionary(name, value), (fields) => {
        expect({ ...createHeaderDecoder().decode(encodeHeaders(fields)) }).toEqual({ ...fields });
      }),
    );
  });

  test.each([
    ['the index 0', '80'],
    ['an index beyond both tables', 'ff ff 00'],
    ['a text longer than the block', '00 05 61'],
    ['an integer without an end', 'ff ff ff ff ff ff 7f'],
    ['a table larger than agreed', '3f e1 ff 03'],
    ['a missing name', '40'],
  ])('refuses %s', (_, hex) => {
    expect(() => createHeaderDecoder().decode(bytes(hex))).toThrow(ProtocolError);
  });

  test('any input is decoded or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
        try {
          createHeaderDecoder().decode(Buffer.from(block));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

describe('Huffman codes', () => {
  test.each([
    ['padding with zeros', 'f1e3c2e5f23a6ba0ab90f400'],
    ['a whole byte of padding', 'f1e3c2e5f23a6ba0ab90f4ffff'],
    ['the end of a text', 'ffffffff'],
  ])('refuses %s', (_, hex) => expect(() => decodeHuffman(bytes(hex))).toThrow(ProtocolError));
});
