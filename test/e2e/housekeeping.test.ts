import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
let image: string;
beforeAll(async () => {
  bed = await openBed(['autostart = true']);
  image = await bed.image();
});
afterAll(() => bed[Symbol.asyncDispose]());

test('after rename, the monitor and events use the new name of a running container', async () => {
  const [web, api, taken] = [bed.name('web'), bed.name('api'), bed.name('taken')];
  const id = await bed.ok([
    'run',
    '-d',
    '--name',
    web,
    '--health-cmd',
    'true',
    '--health-interval',
    '200ms',
    image,
    'sleep',
    '600',
  ]);
  await bed.ok(['create', '--name', taken, image, 'true']);
  await bed.ok(['rename', web, api]);
  expect(await bed.ok(['ps', '--format', '{{.Names}}'])).toBe(api);
  expect(await bed.ok(['inspect', '--format', '{{.Name}} {{.State.Running}}', api])).toBe(`/${api} true`);
  await bed.ok(['wait', '--condition', 'healthy', api]);
  const past = ['events', '--since', '1m', '--until', '0s', '--filter', 'event=rename', '--format', 'json'];
  const line = await until(async () => (await bed.ok(past)) || undefined);
  expect(JSON.parse(line).Actor).toEqual({
    ID: id,
    Attributes: expect.objectContaining({ oldName: `/${web}`, name: api }),
  });
  const refused = async (...args: string[]) => (await bed.cli(['rename', ...args])).stderr;
  expect(await refused(api, taken)).toContain(
    `Error when allocating new name: Conflict. The container name "/${taken}" is already in use`,
  );
  expect(await refused(api, api)).toContain('Renaming a container with the same name as its current name');
  expect(await refused(web, 'x-y')).toContain(`No such container: ${web}`);
  expect(await bed.ok(['create', '--name', web, image, 'true'])).not.toBe(id);
  await bed.ok(['rm', '--force', api, web, taken]);
});

test('top shows the processes of a container with their pids on the host', async () => {
  const name = bed.name('top');
  await bed.ok(['run', '-d', '--name', name, image, 'sh', '-c', 'sleep 601 & sleep 602; true']);
  await until(async () => (await bed.ok(['top', name])).match(/sleep 60[12]$/gm)?.length === 2);
  const pid = await bed.ok(['inspect', '--format', '{{.State.Pid}}', name]);
  const [head = '', ...rows] = (await bed.ok(['top', name])).split('\n');
  expect(head).toMatch(/^UID {17}PID {17}PPID {16}/);
  expect(rows).toHaveLength(3);
  expect(rows.some((row) => row.includes(pid) && row.includes('sleep 601 & sleep 602; true'))).toBe(true);
  expect((await bed.ok(['top', name, '-o', 'pid,args'])).split('\n')[0]).toMatch(/^PID {17}COMMAND$/);
  const refused = await bed.cli(['top', name, '-o', 'args']);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("Couldn't find PID field in ps output")]);
  await bed.ok(['rm', '--force', name]);
  const [gone, stopped] = [await bed.cli(['top', name]), await bed.ok(['create', image, 'true'])];
  expect(gone.stderr).toContain('No such container');
  expect((await bed.cli(['top', stopped])).stderr).toContain(`container ${stopped} is not running`);
  await bed.ok(['rm', stopped]);
});

test('prune removes stopped containers, then what no container uses', async () => {
  const before = await bed.traces();
  const tagged = 'docker.io/test/other:1';
  const [up, down] = [bed.name('up'), bed.name('down')];
  await bed.ok(['run', '-d', '--name', up, image, 'sleep', '600']);
  await bed.ok(['run', '--name', down, image, 'sh', '-c', 'head -c 100000 /dev/zero >/big']);
  const prompted = await bed.cli(['container', 'prune'], { stdin: 'n\n' });
  expect([prompted.code, prompted.stdout]).toEqual([
    0,
    'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ',
  ]);
  expect(await bed.ok(['container', 'prune', '--force', '--filter', 'label=none'])).toBe('Total reclaimed space: 0B');
  const id = await bed.ok(['inspect', '--format', '{{.Id}}', down]);
  const pruned = await bed.cli(['container', 'prune'], { stdin: 'y\n' });
  expect(pruned.stdout).toMatch(
    new RegExp(`Deleted Containers:\n${id}\n\nTotal reclaimed space: 1\\d\\d(\\.\\d+)?kB\n$`),
  );
  expect(await bed.ok(['ps', '--all', '--format', '{{.Names}}'])).toBe(up);

  await bed.ok(['tag', image, tagged]);
  expect(await bed.ok(['images', '--format', '{{.Repository}}:{{.Tag}}'])).toContain('test/other:1');
  expect((await bed.cli(['tag', image, 'UPPER'])).stderr).toContain(
    'Error parsing reference: "UPPER" is not a valid repository/tag',
  );
  // The image is in use: it only loses the name that its container does not have.
  expect(await bed.ok(['image', 'prune', '--all', '--force'])).toBe(
    'Deleted Images:\nuntagged: test/other:1\n\nTotal reclaimed space: 0B',
  );
  await bed.ok(['rm', '--force', up]);
  await bed.expectNothingLeft(before);
  expect(await bed.ok(['image', 'prune', '--force'])).toBe('Total reclaimed space: 0B');
  const all = await bed.ok(['image', 'prune', '--all', '--force']);
  expect(all).toMatch(
    /^Deleted Images:\nuntagged: .*\n(deleted: sha256:[0-9a-f]{64}\n)+\nTotal reclaimed space: [\d.]+MB$/,
  );
  expect(await bed.ok(['images', '--quiet'])).toBe('');
});
