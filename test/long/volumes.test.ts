import { expect, test } from 'vitest';
import { openBed } from '../e2e/support/harness.ts';

const CONTAINERS = 200;
const AT_ONCE = 8;

test(`${CONTAINERS} containers with volumes and shared memory, ${AT_ONCE} at a time, leave nothing`, async () => {
  await using bed = await openBed();
  const image = await bed.image(
    { Volumes: { '/var/cache': {} } },
    { files: { 'data/seed': 'from the image\n', 'var/cache/seed': 'x' } },
  );
  await bed.ok(['run', '--rm', '-v', 'shared:/data', image, 'true']);
  const before = await bed.traces();
  const runs = Array.from({ length: CONTAINERS }, (_, index) => index);
  const script = 'cat /data/seed; test -f /var/cache/seed && echo x > /dev/shm/x && echo x > /own/x && touch /data/$0';
  const worker = async (): Promise<void> => {
    for (let index = runs.pop(); index !== undefined; index = runs.pop()) {
      const mounts = ['-v', 'shared:/data', '-v', '/own', '--ipc', 'shareable'];
      const out = await bed.ok(['run', '--rm', ...mounts, image, 'sh', '-c', script, `${index}`]);
      expect(out).toBe('from the image');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const count = ['sh', '-c', 'ls /data | grep -c "^[0-9]"; rm /data/[0-9]*'];
  expect(await bed.ok(['run', '--rm', '-v', 'shared:/data', image, ...count])).toBe(`${CONTAINERS}`);
  expect(await bed.ok(['volume', 'ls', '-q'])).toBe('shared');
  // The content of the shared volume is unchanged.
  await bed.expectNothingLeft(before, 60_000);
});
