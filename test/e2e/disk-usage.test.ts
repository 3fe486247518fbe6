import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineBed, startEngine } from './support/engine.ts';
import { type Bed, openBed } from './support/harness.ts';

let bed: Bed;
let image: string;
let engine: EngineBed;
beforeAll(async () => {
  bed = await openBed();
  image = await bed.image();
  await bed.image({ Env: ['OTHER=1'] });
  engine = await startEngine(bed);
  await bed.ok(['run', '-d', '--name', 'up', '-v', 'used:/data', image, 'sleep', '1000']);
  await bed.ok([
    'run',
    '--name',
    'over',
    '-v',
    '/anonymous',
    image,
    'dd',
    'if=/dev/zero',
    'of=/big',
    'bs=1M',
    'count=2',
  ]);
  await bed.ok(['run', '--rm', '-v', 'kept:/data', image, 'dd', 'if=/dev/zero', 'of=/data/big', 'bs=1M', 'count=3']);
});
afterAll(() => bed[Symbol.asyncDispose]());

interface Usage {
  readonly LayersSize: number;
  readonly Images: readonly { readonly Containers: number; readonly SharedSize: number; readonly Size: number }[];
  readonly Containers: readonly { readonly Names: readonly string[]; readonly SizeRw?: number }[];
  readonly Volumes: readonly {
    readonly Name: string;
    readonly UsageData: { readonly RefCount: number; readonly Size: number };
  }[];
}

test('what takes space, as Docker shows it', async () => {
  const lines = (
    await bed.ok(['system', 'df', '--format', '{{.Type}}|{{.TotalCount}}|{{.Active}}|{{.Reclaimable}}'])
  ).split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^Images\|2\|1\|/),
    expect.stringMatching(/^Containers\|2\|1\|2\.1.*MB \(99%\)$/),
    expect.stringMatching(/^Local Volumes\|3\|2\|3\.14.*MB \(\d+%\)$/),
    'Build Cache|0|0|0B',
  ]);
  expect(await bed.ok(['system', 'df', '-v'])).toMatch(
    /^Images space usage:\n\nREPOSITORY .*\n[\s\S]*\nVOLUME NAME +LINKS +SIZE\n/,
  );
  const usage = (await engine.ask('GET', '/system/df')).json as Usage;
  expect(usage.Images.map(({ Containers }) => Containers).sort()).toEqual([0, 2]);
  expect(usage.Images.every(({ SharedSize, Size }) => SharedSize === Size)).toBe(true);
  expect(usage.LayersSize).toBe(usage.Images[0]?.Size);
  expect(usage.Containers.find(({ Names }) => Names.includes('/over'))?.SizeRw).toBeGreaterThan(2 << 20);
  expect(usage.Volumes.find(({ Name }) => Name === 'used')?.UsageData).toMatchObject({ RefCount: 1 });
  expect(usage.Volumes.find(({ Name }) => Name === 'kept')?.UsageData).toMatchObject({ RefCount: 0 });
  const some = await engine.ask('GET', '/system/df?type=volume');
  expect(some.json).toMatchObject({ Images: null, Containers: null, BuildCache: null, LayersSize: 0 });
  expect((await engine.ask('GET', '/system/df?type=nosuch')).status).toBe(400);
});

test('prune asks, and removes what is not in use', async () => {
  const asked = await bed.cli(['system', 'prune', '--volumes', '--filter', 'label=x'], { stdin: 'n\n' });
  expect(asked.stdout).toBe(`WARNING! This will remove:
  - all stopped containers
  - all networks not used by at least one container
  - all anonymous volumes not used by at least one container
  - all dangling images

  Items to be pruned will be filtered with:
  - label=x

Are you sure you want to continue? [y/N] `);
  const id = await bed.ok(['inspect', '-f', '{{.Id}}', 'over']);
  const said = await bed.ok(['system', 'prune', '-f', '-a', '--volumes']);
  expect(said).toMatch(
    new RegExp(`^Deleted Containers:\n${id}\n\nDeleted Volumes:\n[0-9a-f]{64}\n\nDeleted Images:\nuntagged: `),
  );
  expect(said).toMatch(/\nTotal reclaimed space: \d\.\d+MB$/);
  expect(await bed.ok(['ps', '-aq', '--no-trunc'])).not.toContain(id);
  expect(await bed.ok(['volume', 'ls', '-q'])).toBe('kept\nused');
  expect(await bed.cli(['system', 'prune', '-f', '--volumes', '--filter', 'until=1h'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The "until" filter is not supported with "--volumes"'),
  });
});
