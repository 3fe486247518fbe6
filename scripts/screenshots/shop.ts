import type { PastLife, PastPhase } from '../../testbed/past-week.ts';

/** The containers in the pictures. Their images are busybox under other names. */
export interface ShopContainer {
  readonly name: string;
  readonly image: string;
  readonly options: readonly string[];
  readonly command: readonly string[];
}

const check = (command: string, interval = '5s'): readonly string[] => [
  ...['--health-cmd', command, '--health-interval', interval, '--health-timeout', '3s'],
];
const forever = ['sleep', '86400'];

export const SHOP: readonly ShopContainer[] = [
  {
    ...{ name: 'api', image: 'registry.example/shop/api:2.4' },
    options: [...check('echo "connect to db:5432: connection refused"; exit 1', '2s'), '--health-retries', '2'],
    command: forever,
  },
  { name: 'web', image: 'docker.io/library/nginx:1.29', options: check('sleep 0.01'), command: forever },
  { name: 'db', image: 'docker.io/library/postgres:18', options: check('sleep 0.03'), command: forever },
  { name: 'cache', image: 'docker.io/library/redis:8', options: check('true'), command: forever },
  { name: 'mail', image: 'docker.io/axllent/mailpit:v1.27', options: check('true', '15s'), command: forever },
  {
    ...{ name: 'search', image: 'registry.example/shop/search:9' },
    options: [...check('exit 1', '10s'), '--health-start-period', '10m'],
    command: forever,
  },
  { name: 'worker', image: 'registry.example/shop/worker:2.4', options: [], command: forever },
  { name: 'report', image: 'registry.example/shop/report:1', options: check('true'), command: forever },
];

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const healthy = (agoMs: number): PastPhase => ({ agoMs, phase: 'healthy' });
const bad = (agoMs: number, reason: string): PastPhase => ({ agoMs, phase: 'unhealthy', reason, exitCode: 1 });
const [REFUSED, SLOW] = ['connect to db:5432: connection refused', 'timeout: no answer within 3s'];

/** Daily waves with noise, which is the same in each call. */
const around = (ms: number) => (atMs: number) =>
  ms * (1 + 0.4 * Math.sin((atMs / DAY) * 2 * Math.PI) + 0.25 * Math.sin(atMs * 12.9898) ** 2);

/** @param keyOf the key of a container, by its name */
export function pastOf(keyOf: (name: string) => string): readonly PastLife[] {
  const lives: Readonly<Record<string, readonly PastPhase[]>> = {
    api: [
      ...[healthy(7 * DAY), bad(5 * DAY, SLOW), healthy(5 * DAY - 12 * MINUTE), bad(2 * DAY, REFUSED)],
      ...[healthy(2 * DAY - 3 * HOUR), bad(7 * HOUR, SLOW), healthy(7 * HOUR - 25 * MINUTE)],
      ...[bad(38 * MINUTE, REFUSED), healthy(30 * MINUTE), bad(4 * MINUTE, REFUSED)],
    ],
    web: [healthy(7 * DAY)],
    db: [healthy(7 * DAY), { agoMs: 2 * DAY, phase: 'ended', exitCode: 137, reason: '' }, healthy(2 * DAY - 3 * HOUR)],
    cache: [healthy(7 * DAY), bad(26 * HOUR, SLOW), healthy(26 * HOUR - 4 * MINUTE)],
    mail: [healthy(3 * DAY)],
    search: [healthy(7 * DAY), { agoMs: 2 * MINUTE, phase: 'starting' }],
    report: [healthy(7 * DAY), { agoMs: 45 * MINUTE, phase: 'stopped', exitCode: 0 }],
  };
  const durations: Readonly<Record<string, number>> = {
    api: 140,
    web: 12,
    db: 35,
    cache: 4,
    mail: 9,
    search: 60,
    report: 20,
  };
  return SHOP.flatMap(({ name, image }): readonly PastLife[] => {
    const phases = lives[name];
    return phases ? [{ key: keyOf(name), name, image, phases, durationMs: around(durations[name] ?? 10) }] : [];
  });
}
