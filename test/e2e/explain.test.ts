import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bed, openBed, until } from './support/harness.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(() => bed[Symbol.asyncDispose]());

interface Reason {
  readonly Kind: string;
  readonly What: string;
  readonly Command: string;
}

/** The reasons that `explain` gives, except the missing monitor. */
async function reasonsOf(name: string): Promise<readonly Reason[]> {
  const { Reasons } = JSON.parse(await bed.ok(['explain', '--format', 'json', name])) as { Reasons: Reason[] };
  return Reasons.filter(({ Kind }) => Kind !== 'not-checked');
}

/** Runs a container, makes its checks, and returns the reasons of their failure. */
async function explained(options: readonly string[], command: readonly string[] = [], checks = 1) {
  const name = bed.name('web');
  const image = await bed.image();
  await bed.ok(['run', '-d', '--name', name, ...options, image, ...command]);
  for (let made = 0; made < checks; made += 1) await bed.cli(['healthcheck', 'run', name]);
  return { name, reasons: await reasonsOf(name) };
}

/** Runs the command that `explain` prints, which repairs the check. */
async function mend(name: string): Promise<void> {
  const [reason] = await reasonsOf(name);
  const line = reason?.Command ?? '';
  const prefix = `${['healthctl', ...bed.globalFlags].join(' ')} `;
  expect(line.startsWith(prefix)).toBe(true);
  const words = JSON.parse(
    await bed.ok(['exec', name, 'sh', '-c', TO_JSON.replace('WORDS', line.slice(prefix.length))]),
  ) as string[];
  await bed.ok(words);
}

/** A shell splits the words, like the user's. */
const TO_JSON = `p() { printf '['; s=; for w; do printf '%s"%s"' "$s" "$(printf %s "$w" | sed 's/"/\\\\"/g')"; s=,; done; printf ']'; }; p WORDS`;

const SERVER = ['sh', '-c', 'mkdir /www; echo ok >/www/index.html; exec httpd -f -h /www -p "$1"', 'sh'];
const LISTENS = ['sh', '-c', 'until grep -q " 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done'];

describe('why a check fails', () => {
  test('curl is missing: the printed command repairs the check', async () => {
    const { name, reasons } = await explained(
      ['--health-cmd', 'curl -f http://localhost:8080/ || exit 1'],
      [...SERVER, '127.0.0.1:8080'],
    );
    expect(reasons).toMatchObject([{ Kind: 'no-program', What: 'the image has no curl' }]);
    await bed.ok(['exec', name, ...LISTENS]);
    await mend(name);
    expect(await bed.ok(['inspect', '--format', '{{json .Config.Healthcheck.Test}}', name])).toBe(
      '["HTTP","http://localhost:8080/"]',
    );
    await bed.ok(['healthcheck', 'run', name]);
    expect(await reasonsOf(name)).toEqual([]);
  });

  test('a program is missing, with and without a shell', async () => {
    const [shell, plain] = await Promise.all([
      explained(['--health-cmd', 'no-such-check --now']),
      explained(['--health-cmd', '["/no/such/check"]']),
    ]);
    expect(shell.reasons).toMatchObject([{ Kind: 'no-program', What: 'the image has no no-such-check' }]);
    expect(plain.reasons).toMatchObject([{ Kind: 'no-program', What: 'the image has no /no/such/check' }]);
  });

  test('the image has no shell', async () => {
    const image = await bed.image({}, { shell: false });
    await bed.ok(['run', '-d', '--name', 'bare', '--health-cmd', 'true', image]);
    await bed.cli(['healthcheck', 'run', 'bare']);
    const [reason] = await reasonsOf('bare');
    expect(reason).toMatchObject({ Kind: 'no-shell' });
    expect(reason?.Command).toMatch(/ update --health-cmd '\["true"\]' bare$/);
    await bed.ok(['update', '--health-cmd', '["true"]', 'bare']);
    await bed.ok(['healthcheck', 'run', 'bare']);
    expect(await reasonsOf('bare')).toEqual([]);
  });

  test('nothing listens on the port, but on another one', async () => {
    const [silent, other] = await Promise.all([
      explained(['--health-http', 'http://localhost:8080/']),
      explained(['--health-cmd', 'wget -qO- http://localhost:8080/'], [...SERVER, '127.0.0.1:8081']),
    ]);
    expect(silent.reasons).toMatchObject([{ Kind: 'refused', What: 'nothing listens on port 8080 in the container' }]);
    await bed.ok(['exec', other.name, ...LISTENS]);
    expect(await reasonsOf(other.name)).toMatchObject([
      { Kind: 'refused', What: 'nothing listens on port 8080 in the container, but on 8081' },
    ]);
    await mend(other.name);
    await bed.ok(['healthcheck', 'run', other.name]);
  });

  test('the server listens on ::1 only', async () => {
    const { name } = await explained(
      ['--health-cmd', 'wget -qO- http://127.0.0.1:8080/'],
      [...SERVER, '[::1]:8080'],
      0,
    );
    await bed.ok(['exec', name, ...LISTENS]);
    await bed.cli(['healthcheck', 'run', name]);
    expect(await reasonsOf(name)).toMatchObject([
      { Kind: 'other-address', What: 'the server listens on ::1 port 8080, and the check asks 127.0.0.1' },
    ]);
    await mend(name);
    await bed.ok(['healthcheck', 'run', name]);
  });

  test('the check takes nearly as long as its timeout, or longer', async () => {
    const [near, over] = await Promise.all([
      explained(['--health-cmd', 'sleep 3.4', '--health-timeout', '4s']),
      explained(['--health-cmd', 'sleep 100', '--health-timeout', '1s']),
    ]);
    // It takes longer on a busy machine.
    expect(near.reasons).toMatchObject([{ Kind: expect.stringMatching(/^(near-timeout|timed-out)$/) }]);
    expect(over.reasons).toMatchObject([{ Kind: 'timed-out', What: 'the check exceeded its timeout of 1s' }]);
    expect(over.reasons[0]?.Command).toMatch(/ update --health-timeout 2s web-\d+$/);
  });

  test('the kernel killed the check for lack of memory', async () => {
    const limits = ['--memory', '32m', '--memory-swap', '32m'];
    const { reasons } = await explained([...limits, '--health-cmd', 'exec tail /dev/zero']);
    expect(reasons).toMatchObject([
      { Kind: 'out-of-memory', What: 'the check was killed for lack of memory: its limit is 32MiB' },
    ]);
  });
});

describe('the page of explain', () => {
  test('shows where each setting came from', async () => {
    const image = await bed.image({ Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9, Timeout: 7e9 } });
    await bed.ok(['run', '-d', '--name', 'origins', '--health-timeout', '9s', '--health-retries', '3', image]);
    await bed.ok(['update', '--health-start-period', '2s', 'origins']);
    const origins = async () =>
      JSON.parse(await bed.ok(['explain', '--format', '{{json .Origins}}', 'origins'])) as unknown;
    const expected = {
      ...{ Test: 'image', Interval: 'image', Timeout: 'flag', Retries: 'flag', StartPeriod: 'update' },
      ...{ StartInterval: 'default', OnFailure: 'default', Exec: 'default' },
    };
    expect(await origins()).toEqual(expected);
    await bed.ok(['rmi', '-f', image]);
    expect(await origins()).toEqual(expected);
  });

  test('compares a container of another tool with its image', async () => {
    const image = await bed.image({ Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 } });
    const check = JSON.stringify({ Test: ['CMD', 'true'], Interval: 5e9, Timeout: 7e9, Retries: 3 });
    await bed.ctr('run', '-d', '--snapshotter', 'native', '--label', `nerdctl/healthcheck=${check}`, image, 'foreign');
    const { Origins } = JSON.parse(await bed.ok(['explain', '--format', 'json', 'foreign'])) as { Origins: unknown };
    expect(Origins).toMatchObject({ Test: 'image', Interval: 'image', Timeout: 'flag', Retries: 'default' });
  });

  test('shows a container without a check, and fails for one that does not exist', async () => {
    await bed.ok(['create', '--name', 'plain', await bed.image()]);
    expect(await bed.ok(['explain', 'plain'])).toContain(
      ' * neither its image nor an option has a health check\n   give it one with update',
    );
    expect(await bed.cli(['explain', 'nothing'])).toMatchObject({
      code: 1,
      stderr: 'healthctl: No such container: nothing\n',
    });
  });
});

test('shows the monitor, the next check, and a start period that is too short', async () => {
  await using own = await openBed(['autostart = true']);
  const check = ['--health-cmd', 'test -e /tmp/ready', '--health-interval', '200ms', '--health-retries', '1'];
  await own.ok(['run', '-d', '--name', 'slow', ...check, await own.image()]);
  await own.ok(['wait', '--condition', 'unhealthy', 'slow']);
  await own.ok(['exec', 'slow', 'touch', '/tmp/ready']);
  await own.ok(['wait', '--condition', 'healthy', 'slow']);
  const explain = async (template: string) => own.ok(['explain', '--format', template, 'slow']);
  await until(async () => (await explain('{{range .Reasons}}{{.Kind}} {{end}}')) === 'short-start-period ');
  expect(await explain('{{range .Reasons}}{{.What}}{{end}}')).toMatch(
    /^the start period of 0s is too short: this container took \S+ to become healthy$/,
  );
  expect(await explain('{{.CheckedBy.Kind}}')).toBe('monitor');
  expect(Date.parse(await explain('{{.NextCheck}}'))).toBeGreaterThan(0);
  await own.ok(['pause', 'slow']);
  expect(await own.ok(['explain', 'slow'])).toContain(' Next check:        none while it is paused\n');
  await own.ok(['daemon', 'stop']);
  expect(await explain('{{range .Reasons}}{{.Kind}} {{end}}')).toBe('short-start-period ');
  await own.ok(['unpause', 'slow']);
});
