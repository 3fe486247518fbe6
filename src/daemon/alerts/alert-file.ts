import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { keyOf } from '../../lib/container-key.ts';
import { messageOf } from '../../lib/errors.ts';
import type { UrlHookSettings } from '../../lib/settings.ts';
import { as, isBoolean, isDate, isText, listOf, mapOf, objectOf } from '../../lib/shape.ts';
import { replaceFile } from '../../system/atomic-write.ts';
import { makeOwnDirectory, readOwnJson } from '../../system/own-file.ts';
import type { Firing } from './alert-book.ts';

/*
 * alerts.json: the firing alerts of each hook, so that the next monitor can resolve those that are over by then. It is
 * in the data root, because it is needed after a reboot too, which ends containers.
 */

const isKnown = objectOf({
  ...{ namespace: isText, id: isText, name: isText, image: isText, time: isDate, isDelivered: isBoolean },
});
const isAlertDocument = objectOf({
  version: (value: unknown): value is 1 => value === 1,
  hooks: mapOf(listOf(isKnown)),
});

/** A thousand containers for some hooks. */
const MAX_BYTES = 4 << 20;

interface FiringsOfHook {
  readonly hook: UrlHookSettings;
  readonly firings: readonly Firing[];
}

export interface AlertFile {
  /** The alerts of this hook that fired when the last monitor ended. */
  known(hook: UrlHookSettings): readonly Firing[];
  /** Writes the firing alerts, if they have changed. Failures are logged, once for each reason. */
  save(firings: readonly FiringsOfHook[]): void;
  /** Whether the file already says of an alert that it is being sent. */
  isMarked(hook: UrlHookSettings, key: string): boolean;
}

export function openAlertFile(path: string, log: { warn(text: string): void }): AlertFile {
  const onFault = (text: string): void => log.warn(text);
  const read = readOwnJson(path, (value) => as(isAlertDocument, value), { maxBytes: MAX_BYTES, onFault });
  let written = '';
  let marked = new Set<string>();
  let failure: string | undefined;
  return {
    known: (hook) =>
      (read?.hooks[hookId(hook)] ?? []).map(({ isDelivered, namespace, id, name, image, time }) => ({
        key: keyOf({ namespace, id }),
        ...{ event: { event: 'unhealthy', namespace, id, name, image, time }, isDelivered },
      })),
    isMarked: (hook, key) => marked.has(markOf(hook, key)),
    save: (all) => {
      const text = textOf(all);
      if (text === written) return;
      try {
        makeOwnDirectory(dirname(path), { onFault });
        replaceFile(path, text);
        [written, failure] = [text, undefined];
        marked = marksOf(all);
      } catch (error) {
        const reason = messageOf(error);
        if (reason !== failure) log.warn(`alerts that fire are kept in memory only: ${reason}`);
        failure = reason;
      }
    },
  };
}

function textOf(all: readonly FiringsOfHook[]): string {
  const hooks = all.flatMap(({ hook, firings }) =>
    firings.length === 0
      ? []
      : [
          [
            hookId(hook),
            firings.map(({ event: { namespace, id, name, image, time }, isDelivered }) => ({
              ...{ namespace, id, name, image, time, isDelivered },
            })),
          ] as const,
        ],
  );
  return JSON.stringify({ version: 1, hooks: Object.fromEntries(hooks) });
}

/** Identifies a hook by what it sends to where, without revealing it. */
const hookId = ({ url, format, on }: UrlHookSettings): string =>
  createHash('sha256').update(`${format} ${on.join()} ${url}`).digest('hex').slice(0, 16);

const markOf = (hook: UrlHookSettings, key: string): string => `${hookId(hook)} ${key}`;

const marksOf = (all: readonly FiringsOfHook[]): Set<string> =>
  new Set(
    all.flatMap(({ hook, firings }) =>
      firings.flatMap(({ key, isDelivered }) => (isDelivered ? [] : markOf(hook, key))),
    ),
  );
