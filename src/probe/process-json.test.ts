import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processJsonOf } from './process-json.ts';

describe('processJsonOf', () => {
  test('takes the process out of a spec, and keeps numbers beyond 2^53', () => {
    const process = '{"args":["a\\"}","{"],"rlimits":[{"hard":18446744073709551615}]}';
    const spec = `{"ociVersion":"1.0.2","process":${process},"linux":{"seccomp":{"syscalls":[{"names":["read"]}]}}}`;
    expect(processJsonOf(spec)).toBe(process);
    expect(processJsonOf(` { "root": [], "process" : ${process} }`)).toBe(process);
  });

  test('returns undefined for a spec without a process', () => {
    expect(processJsonOf(undefined)).toBeUndefined();
    expect(processJsonOf('{"ociVersion":"1.0.2"}')).toBeUndefined();
    expect(processJsonOf('{"process":null}')).toBeUndefined();
    expect(processJsonOf('{"linux":{"process":{"args":[]}}}')).toBeUndefined();
    expect(processJsonOf('{"hostname":"\\"process\\":{}","x":{"process":{}}}')).toBeUndefined();
  });

  test('returns the last of several processes, like every JSON reader', () => {
    expect(processJsonOf('{"process":{"args":["a"]},"process":{"args":["b"]}}')).toBe('{"args":["b"]}');
    expect(processJsonOf('{"process":{"args":["a"]},"proc\\u0065ss":{"args":["b"]}}')).toBe('{"args":["b"]}');
    expect(processJsonOf('{"proc\\u0065ss":{"args":["b"]},"process":{"args":["a"]}}')).toBe('{"args":["a"]}');
  });

  test('refuses a spec that is not JSON', () => {
    for (const text of ['{"process":{"args":[}', '{"process":{"args":["}}', 'process', '{"process":{"args":tru}}'])
      expect(() => processJsonOf(text)).toThrow('not JSON');
  });

  test('reads a spec as long as the longest message of containerd', () => {
    const process = { env: [`A=${'x'.repeat(15 << 20)}`] };
    expect(processJsonOf(JSON.stringify({ process }))).toHaveLength(JSON.stringify(process).length);
  });

  test('gives the same as JSON.parse, for any document', () => {
    const json = fc.json().map((text) => JSON.parse(text) as unknown);
    const word = fc.constantFrom('process', '"process"', '{', '}', '\\', '"', 'a');
    const object = fc.dictionary(fc.oneof(word, fc.string()), fc.oneof(json, word, fc.dictionary(word, json)));
    const spaces = fc.constantFrom(undefined, 1);
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(word, fc.string()), fc.oneof(object, json)), spaces, (spec, space) => {
        const { process } = JSON.parse(JSON.stringify(spec)) as { process?: unknown };
        const found = processJsonOf(JSON.stringify(spec, undefined, space));
        const isObject = typeof process === 'object' && process !== null && !Array.isArray(process);
        expect(found === undefined ? undefined : JSON.parse(found)).toEqual(isObject ? process : undefined);
      }),
      { numRuns: 100 },
    );
  });
});
