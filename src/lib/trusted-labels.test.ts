import { describe, expect, test } from 'vitest';
import { LABELS } from './labels.ts';
import {
  CONFIG_EXTENSION,
  CONTROL_LABELS,
  extensionOfLabel,
  LABELS_EXTENSION,
  labelsAfterEvent,
  labelsAtCreate,
  labelsToSet,
  trustedLabels,
} from './trusted-labels.ts';

const forged = Object.fromEntries(CONTROL_LABELS.map((key) => [key, 'forged']));
const from =
  (extensions: Readonly<Record<string, string>>) =>
  (key: string): string | undefined =>
    extensions[key];

describe('a container that healthctl did not create', () => {
  test('no label makes it ours or controls what is done to it', () => {
    const labels = trustedLabels({ ...forged, 'nerdctl/name': 'web', app: 'x' }, from({}));
    for (const key of [LABELS.owner, LABELS.restart, LABELS.started, LABELS.stopped, LABELS.testSince, LABELS.ports])
      expect(labels[key]).toBeUndefined();
    expect(labels).toMatchObject({ 'nerdctl/name': 'web', app: 'x' });
  });

  test('its health check label is used, but not its actions on failure', () => {
    const check = { Test: ['CMD', 'true'], OnFailure: 'restart', maxrestarts: 3 };
    const labels = trustedLabels({ [LABELS.healthcheck]: JSON.stringify(check) }, from({}));
    expect(JSON.parse(labels[LABELS.healthcheck] ?? '')).toEqual({ Test: ['CMD', 'true'] });
    expect(trustedLabels({ [LABELS.healthcheck]: '{x' }, from({}))[LABELS.healthcheck]).toBe('{x');
  });

  test('labels that update has written are trusted', () => {
    const { extensions } = labelsToSet({ [LABELS.restart]: 'always' });
    expect(trustedLabels({ [LABELS.restart]: 'forged' }, from(extensions))[LABELS.restart]).toBe('always');
  });
});

describe('a container that healthctl created', () => {
  const created = labelsAtCreate({ [LABELS.owner]: '0.2.0', [LABELS.pidfile]: '/run/a.pid', app: 'x' });
  const own = { [CONFIG_EXTENSION]: '{}', ...created.extensions };

  test('has the labels of its creation, whatever its labels are now', () => {
    const labels = trustedLabels({ ...forged, app: 'x' }, from(own));
    expect(labels).toEqual({ [LABELS.owner]: '0.2.0', [LABELS.pidfile]: '/run/a.pid', app: 'x' });
    expect(trustedLabels({}, from(own))[LABELS.owner]).toBe('0.2.0');
  });

  test('a later change overrides the creation, and an empty value removes', () => {
    const changed = { ...own, ...labelsToSet({ [LABELS.pidfile]: '', [LABELS.stopped]: 'now' }).extensions };
    expect(trustedLabels({ ...forged }, from(changed))).toEqual({ [LABELS.owner]: '0.2.0', [LABELS.stopped]: 'now' });
  });

  test('trusts the labels of a container made by 0.1.0, which has none in an extension, until they are written again', () => {
    const labels = { [LABELS.owner]: '0.1.0', [LABELS.restart]: 'always' };
    const before = { [CONFIG_EXTENSION]: '{}' };
    expect(trustedLabels(labels, from(before))).toEqual(labels);
    const after = { ...before, [extensionOfLabel(LABELS.restart)]: '"no"' };
    expect(trustedLabels(labels, from(after))[LABELS.restart]).toBe('no');
  });

  test.each(['[]', '"x"', '{', '{"nerdctl/pid-file":1}'])('trusts no label if the extension is damaged: %s', (text) => {
    const labels = trustedLabels({ ...forged, app: 'x' }, from({ [CONFIG_EXTENSION]: '{}', [LABELS_EXTENSION]: text }));
    expect(labels).toEqual({ app: 'x' });
  });
});

test('a value that is too long for a label is stored in the extension only', () => {
  const long = 'x'.repeat(5000);
  const { labels, extensions } = labelsToSet({ [LABELS.ports]: long });
  expect(labels).toEqual({ [LABELS.ports]: '' });
  expect(trustedLabels(labels, from(extensions))[LABELS.ports]).toBe(long);
  expect(labelsAtCreate({ app: long, short: 'y' }).labels).toEqual({ short: 'y' });
});

describe('labelsAfterEvent', () => {
  const known = { [LABELS.owner]: '0.2.0', [LABELS.nerdctlHealthstate]: 'a' };
  test('a change of the mirror does not need the record', () => {
    expect(labelsAfterEvent(known, { ...known, [LABELS.nerdctlHealthstate]: 'b' })).toEqual({
      labels: { ...known, [LABELS.nerdctlHealthstate]: 'b' },
      isChanged: false,
    });
  });
  test('a control label is not trusted, and needs the record', () => {
    expect(labelsAfterEvent(known, { ...known, [LABELS.stopped]: 'forged' })).toEqual({
      labels: known,
      isChanged: true,
    });
    expect(labelsAfterEvent(known, {})).toEqual({ labels: { [LABELS.owner]: '0.2.0' }, isChanged: true });
  });
});
