import { expect, test } from 'vitest';
import { linesOf } from './toml-lines.ts';

const TEXT = `# """
debug = true
page.listen = "x"
body = """
hosts = 1
"""
[metrics]
  "listen" = ''''
max_containers = 3
'''
'tls_key'= 2
inline = { a = 1 }

[[hook]] # one
url = "u"
[hook.headers]
A = "b"
[[hook]]
list = [
  "url = 1",
]
url = "v"
`;

test.each<[readonly (string | number)[], number]>([
  [['debug'], 2],
  [['page', 'listen'], 3],
  [['page', 'hosts'], 3],
  [['metrics'], 7],
  [['metrics', 'listen'], 8],
  [['metrics', 'max_containers'], 7],
  [['metrics', 'tls_key'], 11],
  [['metrics', 'inline', 'a'], 12],
  [['hook'], 14],
  [['hook', 0, 'url'], 15],
  [['hook', 0, 'headers', 'A'], 17],
  [['hook', 1], 18],
  [['hook', 1, 'url'], 22],
  [['hook', 1, 'on'], 18],
  [['nothing'], 1],
])('%j is in line %i', (path, line) => {
  expect(linesOf(TEXT)(...path)).toBe(line);
});
