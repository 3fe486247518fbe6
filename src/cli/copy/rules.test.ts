import { describe, expect, test } from 'vitest';
import { type CopySide, planCopy, rebased, splitArgument, splitEntry } from './rules.ts';

test.each([
  ['web:/x', { container: 'web', path: '/x' }],
  ['web:', { container: 'web', path: '' }],
  ['/a:b', { path: '/a:b' }],
  ['./a:b', { path: './a:b' }],
  ['../a:b', { path: '../a:b' }],
  ['plain', { path: 'plain' }],
])('%s is %j', (argument, expected) => {
  expect(splitArgument(argument)).toEqual(expected);
});

test.each([
  ['/a/b', '/a', 'b'],
  ['/a/b/', '/a', 'b'],
  ['/a/b/.', '/a/b', '.'],
  ['/', '/', '/'],
  ['/.', '/', '.'],
  ['a', '.', 'a'],
  ['.', '.', '.'],
])('the entry of %s', (path, directory, base) => {
  expect(splitEntry(path)).toEqual({ directory, base });
});

const side = (path: string, kind: 'file' | 'directory' | 'none'): CopySide => ({
  path,
  exists: kind !== 'none',
  isDirectory: kind === 'directory',
});

describe('planCopy', () => {
  // docker cp, "Extended description": SRC_PATH is a file or a directory, DEST_PATH is there or not.
  test.each<[string, CopySide, CopySide, object]>([
    ['a file to a name', side('/f', 'file'), side('/d/new', 'none'), { directory: '/d', name: 'new' }],
    ['a file over a file', side('/f', 'file'), side('/d/g', 'file'), { directory: '/d', name: 'g' }],
    ['a file into a directory', side('/f', 'file'), side('/d/', 'directory'), { directory: '/d/', name: undefined }],
    ['a directory to a name', side('/s', 'directory'), side('/d/new', 'none'), { directory: '/d', name: 'new' }],
    ['its content to a name', side('/s/.', 'directory'), side('/d/new/', 'none'), { directory: '/d', name: 'new' }],
    ['a directory into one', side('/s', 'directory'), side('/d', 'directory'), { directory: '/d', name: undefined }],
  ])('%s', (_, source, target, expected) => {
    expect(planCopy(source, target)).toEqual(expected);
  });

  test('what cannot be', () => {
    expect(() => planCopy(side('/f', 'file'), side('/d/new/', 'none'))).toThrow('no such directory');
    expect(() => planCopy(side('/s', 'directory'), side('/f', 'file'))).toThrow('cannot copy directory');
  });

  test('a followed link keeps its name', () => {
    const source = { ...side('/real', 'file'), ...rebased('/link', '/real') };
    expect(planCopy(source, side('/d', 'directory'))).toEqual({ directory: '/d', name: 'link' });
    expect(rebased('/link/.', '/real')).toEqual({ path: '/real/.' });
    expect(rebased('/link/', '/real')).toEqual({ path: '/real/', rebaseName: 'link' });
  });
});
