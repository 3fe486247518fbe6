import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { traceInSource } from '../../src/cli/trace.ts';

const SOURCE = `\n\nexport function fail(reason: string): never {\n  throw new Error(reason);\n}\n`;

let dir: string;
let stack: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'healthctl-trace-'));
  const built = transformSync(SOURCE, { loader: 'ts', minify: true, sourcemap: 'external', sourcefile: 'src/fail.ts' });
  const column = built.code.indexOf('new Error') + 1;
  stack = `Error: no\n    at e (${dir}/healthctl.cjs:1:${column})\n    at async ${dir}/healthctl.cjs:1:${column}\n    at node:net:1:2`;
  writeFileSync(join(dir, 'healthctl.cjs.map'), built.map);
});
afterAll(() => rmSync(dir, { recursive: true }));

test('frames of the bundle show the lines of the source; other frames do not change', () => {
  expect(traceInSource(stack)).toBe('Error: no\n    at src/fail.ts:4:9\n    at src/fail.ts:4:9\n    at node:net:1:2');
});

test.each(['{', '{}', '"x"'])('a damaged map (%s) is not used', (text) => {
  writeFileSync(join(dir, 'healthctl.cjs.map'), text);
  expect(traceInSource(stack)).toBe(stack);
});

test('without a map the trace does not change', () => {
  const elsewhere = stack.replaceAll(dir, '/nonexistent');
  expect(traceInSource(elsewhere)).toBe(elsewhere);
});
