import { expect, test } from 'vitest';
import type { ImageRecord } from '../containerd/images.ts';
import { repoTags } from './names.ts';

const record = (name: string): ImageRecord => ({
  name,
  target: { mediaType: 'application/json', digest: `sha256:${'ab'.repeat(32)}`, size: 1, annotations: {} },
  labels: {},
  createdAtMs: 0,
  updatedAtMs: 0,
});

test('the tags of an image are in the order of their whole names, as in Docker', () => {
  const names = [
    'docker.io/library/web:1',
    'docker.io/docker/web:1',
    'ghcr.io/a/web:1',
    'docker.io/library/app:latest',
  ];
  expect(repoTags(names.map(record))).toEqual(['docker/web:1', 'app:latest', 'web:1', 'ghcr.io/a/web:1']);
});
