import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

// The source map says what is bundled; THIRD-PARTY-NOTICES is made from another list.
function bundledPackages(): readonly string[] {
  const sources = ['healthctl', 'telemetry'].flatMap(
    (name) => (JSON.parse(read(`dist/${name}.cjs.map`)) as { readonly sources: readonly string[] }).sources,
  );
  const names = sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
  return [...new Set(names)];
}

/** By name: the texts between two rules. */
function sections(): ReadonlyMap<string, string> {
  const parts = read('THIRD-PARTY-NOTICES').split(/^-{80}$/m);
  return new Map(parts.slice(1).map((part) => [part.trim().split(' ')[0] ?? '', part]));
}

/** Part of dist/page. */
const IN_THE_PAGE = ['preact', 'uplot'];

test('THIRD-PARTY-NOTICES has every bundled package and every dependency', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { readonly dependencies: Record<string, string> };
  const expected = [...bundledPackages(), ...IN_THE_PAGE, ...Object.keys(dependencies)];
  expect(expected).toEqual(
    expect.arrayContaining(['@bufbuild/protobuf', 'tar-stream', 'smol-toml', 'koffi', '@opentelemetry/sdk-logs']),
  );
  expect([...sections().keys()].toSorted()).toEqual(expected.toSorted());
});

test.each([
  ['tar-stream', 'Copyright (c) 2014 Mathias Buus'],
  ['smol-toml', 'Copyright (c) Squirrel Chat et al.'],
  ['b4a', 'TERMS AND CONDITIONS FOR USE'],
  ['koffi', 'Niels Martignène'],
  ['preact', 'Jason Miller'],
  ['uplot', 'Leon Sorokin'],
  // Has no licence file: taken from the heads of its sources.
  ['@bufbuild/protobuf', 'Copyright 2008 Google Inc.'],
  ['@bufbuild/protobuf', 'Buf Technologies, Inc.'],
  ['@bufbuild/protobuf', 'TERMS AND CONDITIONS FOR USE'],
])('it contains the notice that %s requires: %s', (name, text) => {
  expect(sections().get(name)).toContain(text);
});

test('it is part of the npm package', () => {
  const { files } = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
  expect(files).toContain('THIRD-PARTY-NOTICES');
});
