import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { listProcesses } from '../../testbed/processes.ts';
import { isShim } from '../../testbed/testbed-remains.ts';
import { openBed } from '../e2e/support/harness.ts';

const ROUNDS = 250;
const CONTAINERS = 4;

test(`${ROUNDS} checks of each of ${CONTAINERS} containers leave nothing, and the shims do not grow`, async () => {
  await using bed = await openBed();
  const image = await bed.image({ Healthcheck: { Test: ['CMD-SHELL', 'echo checked; test -e /tmp/ok'], Retries: 3 } });
  const names = Array.from({ length: CONTAINERS }, () => bed.name());
  for (const name of names) await bed.ok(['run', '-d', '--name', name, image]);
  const round = () => Promise.all(names.map((name) => bed.ok(['container', 'healthcheck', name])));
  for (let warmUp = 0; warmUp < 10; warmUp += 1) await round();

  const before = await bed.traces();
  const grown = watchShims(bed.namespace);
  for (let done = 0; done < ROUNDS; done += 1) await round();
  await bed.expectNothingLeft(before);
  expect(grown()).toEqual({ descriptors: 0, moreThanDouble: [] });

  for (const name of names) {
    const health = JSON.parse(await bed.ok(['inspect', '--format', '{{json .State.Health}}', name]));
    expect(health).toMatchObject({ Status: 'unhealthy', FailingStreak: ROUNDS + 10 });
    expect(health.Log).toHaveLength(5);
  }
});

/**
 * Reads the descriptors and the memory of the shims of a namespace.
 * @returns a function that returns their growth
 */
function watchShims(namespace: string): () => { descriptors: number; moreThanDouble: number[] } {
  const shims = listProcesses().filter((one) => isShim(one) && one.args.includes(namespace));
  const count = () =>
    shims.map(({ pid }) => ({ descriptors: readdirSync(`/proc/${pid}/fd`).length, memory: residentKib(pid) }));
  const before = count();
  const descriptorsOf = (counts: ReturnType<typeof count>) =>
    counts.reduce((sum, { descriptors }) => sum + descriptors, 0);
  return () => {
    const after = count();
    const moreThanDouble = after
      .map(({ memory }, index) => memory / (before[index]?.memory ?? memory))
      .filter((factor) => factor > 2);
    return { descriptors: descriptorsOf(after) - descriptorsOf(before), moreThanDouble };
  };
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
