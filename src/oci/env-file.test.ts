import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HealthctlError } from '../lib/errors.ts';
import { parseEnvFile } from './env-file.ts';

function parse(content: string | Uint8Array, env?: Record<string, string>): readonly string[] {
  return parseEnvFile(
    { name: 'f.env', content: typeof content === 'string' ? new TextEncoder().encode(content) : content },
    env,
  );
}

test('reads lines, comments, values of the host, and keeps values unchanged', () => {
  const text = '\uFEFFA=1\r\n\n  # comment\n\t B= two words \nC="quoted" # not a comment\nD=x=y\nHOME\nNONE\nE=\n#F=1';
  expect(parse(text, { HOME: '/root' })).toEqual([
    'A=1',
    'B= two words ',
    'C="quoted" # not a comment',
    'D=x=y',
    'HOME=/root',
    'E=',
  ]);
  expect(parse('HOME\nA=b')).toEqual(['A=b']);
  expect(parse('toString', {})).toEqual([]);
});

test.each([
  ['A B=c', "variable 'A B' contains whitespaces"],
  ['A =c', "variable 'A ' contains whitespaces"],
  ['A\tB', "variable 'A\tB' contains whitespaces"],
  ['ok=1\n=c', "no variable name on line '=c'"],
  ['A=\0', "variable 'A' contains a NUL character"],
])('refuses %j', (text, reason) => {
  const message = `invalid env file (f.env): ${reason}`;
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'USAGE', message }));
});

test('refuses a line of 64 KiB or more', () => {
  const line = (bytes: number) => `A=${'ä'.repeat((bytes - 2) / 2)}`;
  expect(parse(line(65_534))).toHaveLength(1);
  expect(() => parse(line(65_536))).toThrow('invalid env file (f.env): bufio.Scanner: token too long');
});

test('the error for bytes that are not UTF-8 names their line', () => {
  const content = Uint8Array.of(0x41, 0x3d, 0x31, 0x0a, 0x42, 0x3d, 0xff, 0x0a);
  expect(() => parse(content)).toThrow('invalid env file (f.env): invalid utf8 bytes at line 2: [66 61 255]');
});

test('property: any bytes give variables or a HealthctlError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string().map((text) => new TextEncoder().encode(text)),
      ),
      (content) => {
        try {
          for (const variable of parse(content, { A: '1' })) expect(variable).toMatch(/^[^= \t\n]+=/);
        } catch (error) {
          expect(error).toBeInstanceOf(HealthctlError);
        }
      },
    ),
  );
});
