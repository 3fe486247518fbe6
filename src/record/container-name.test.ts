import fc from 'fast-check';
import { expect, test } from 'vitest';
import { containerNameOf, parseKubernetesName, shownContainer } from './container-name.ts';

const pod = { 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.name': 'web-7d4b' };

test.each<[string, Record<string, string>]>([
  ['web', { 'nerdctl/name': 'web', ...pod }],
  ['k8s://default/web-7d4b/app', { ...pod, 'io.kubernetes.container.name': 'app' }],
  ['k8s://default/web-7d4b', pod],
  ['abc', {}],
  ['abc', { 'io.kubernetes.pod.namespace': 'default' }],
  ['abc', { ...pod, 'io.kubernetes.pod.name': '\u001b[2J' }],
  ['abc', { ...pod, 'io.kubernetes.container.name': 'a/b' }],
])('is %s for the labels %j', (name, labels) => {
  expect(containerNameOf({ id: 'abc', labels })).toBe(name);
});

test('parses every shown name, and never throws for other text', () => {
  expect(parseKubernetesName('k8s://default/web-7d4b/app')).toEqual({
    namespace: 'default',
    pod: 'web-7d4b',
    container: 'app',
  });
  expect(parseKubernetesName('k8s://default/web')?.container).toBeUndefined();
  for (const text of ['web', 'k8s://', 'k8s://a', 'k8s://a/b/c/d', 'k8s://a/"b"', 'k8s://a/b/']) {
    expect(parseKubernetesName(text), text).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => void parseKubernetesName(`k8s://${text}`)));
});

test.each([
  ['web', 'default/web (3f4e5d6c7b8a)'],
  ['3f4e5d6c7b8a9b0c', 'default/3f4e5d6c7b8a9b0c'],
  ['k8s://default/web-7d4b', 'default/3f4e5d6c7b8a9b0c'],
  ['a\u001b[2J', 'default/a\\x1b[2J (3f4e5d6c7b8a)'],
])('a container named %j is shown as %s', (name, shown) => {
  expect(shownContainer({ namespace: 'default', id: '3f4e5d6c7b8a9b0c', name })).toBe(shown);
});
