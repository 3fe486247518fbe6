import { expect, test } from 'vitest';
import { aStoredConfig, ownRecord } from '../../test/builders/listed.ts';
import { monitorNeedsOf } from './monitor-needs.ts';

const NOTHING = { check: false, restart: false, removal: false, logLimit: false, jsonLog: false, names: false };
const CHECK = '{"Test":["CMD","true"],"Interval":1000000000}';

test('a container without options needs no monitor', () => {
  expect(monitorNeedsOf(ownRecord({ id: 'a' }))).toEqual(NOTHING);
});

test.each([
  ['a check', { labels: { 'nerdctl/healthcheck': CHECK } }, { check: true }],
  ['a check that is switched off', { labels: { 'nerdctl/healthcheck': '{"Test":["NONE"]}' } }, {}],
  ['a restart policy', { labels: { 'healthctl/restart': 'always' } }, { restart: true }],
])('needs a monitor for %s', (_, part, needs) => {
  expect(monitorNeedsOf(ownRecord({ id: 'a', ...part }))).toEqual({ ...NOTHING, ...needs });
});

test('needs a monitor for --rm, to remove the container after its end', () => {
  const { HostConfig, ...stored } = aStoredConfig();
  const record = ownRecord({ id: 'a' }, { ...stored, HostConfig: { ...HostConfig, AutoRemove: true } });
  expect(monitorNeedsOf(record)).toEqual({ ...NOTHING, removal: true });
});

test('needs a monitor for a log limit only if the log is ours', () => {
  const { HostConfig, ...stored } = aStoredConfig();
  const LogConfig = { Type: 'json-file', Config: { 'max-size': '10m' } };
  const config = { ...stored, HostConfig: { ...HostConfig, LogConfig } };
  expect(monitorNeedsOf(ownRecord({ id: 'a' }, config))).toEqual({ ...NOTHING, logLimit: true });
  expect(monitorNeedsOf(ownRecord({ id: 'a', labels: {} }, config))).toEqual(NOTHING);
});

test('needs a monitor for the names of a user network, unless it serves DNS itself', () => {
  const { HostConfig, Config, ...stored } = aStoredConfig();
  const on = (NetworkMode: string, ExposedPorts = {}) =>
    monitorNeedsOf(
      ownRecord(
        { id: 'a' },
        { ...stored, Config: { ...Config, ExposedPorts }, HostConfig: { ...HostConfig, NetworkMode } },
      ),
    );
  expect(on('app')).toEqual({ ...NOTHING, names: true });
  for (const mode of ['bridge', 'host', 'none', 'container:b']) expect(on(mode), mode).toEqual(NOTHING);
  expect(on('app', { '53/udp': {} })).toEqual(NOTHING);
  expect(on('app', { '5353/udp': {} })).toEqual({ ...NOTHING, names: true });
});
