import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COLUMN_COUNT, CONTAINER_METRICS, METRICS } from './definitions.ts';

const DOCS = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md has each metric with its type and labels, and no other', () => {
  const rows = [...DOCS.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| (\w+) \|([^|]*)\|/gm)].flatMap(
    ([, names = '', type, labels = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => ({
        name,
        type,
        labels: [...labels.matchAll(/\w+/g)].map(String),
      })),
  );
  expect(rows.filter(({ type }) => ['gauge', 'counter', 'histogram'].includes(type ?? ''))).toEqual(
    METRICS.map(({ name, type, labels = [] }) => ({ name, type, labels: [...labels] })),
  );
});

test('names follow the conventions of Prometheus', () => {
  for (const { name, type, unit } of METRICS) {
    expect(name).toMatch(/^(healthctl|process)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (unit) expect(name.replace(/_total$/, '')).toMatch(new RegExp(`_${unit}$`));
    if (type === 'histogram') expect(unit).toBe('seconds');
  }
  expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
});

test('no two metrics have the same column', () => {
  const used = CONTAINER_METRICS.flatMap((metric) => {
    const { kind } = metric;
    const length = kind === 'values' ? metric.words.length : kind === 'histogram' ? metric.bounds.length + 2 : 1;
    return kind === 'info' ? [] : Array.from({ length }, (_, index) => metric.column + index);
  });
  expect(used.toSorted((a, b) => a - b)).toEqual(Array.from({ length: COLUMN_COUNT }, (_, index) => index));
});
