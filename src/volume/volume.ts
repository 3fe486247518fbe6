import { HealthctlError } from '../lib/errors.ts';
import { isText, mapOf, objectIn, objectOf, parseJsonText, textMapIn } from '../lib/shape.ts';
import type { VolumeOptions } from './volume-options.ts';

/** A directory that outlives containers. */
export interface Volume {
  readonly name: string;
  /** RFC 3339 in seconds, as Docker's. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: VolumeOptions;
  /** Path of its directory on the host: its content, unless its options name another. */
  readonly mountpoint: string;
}

/** Docker's label of an anonymous volume; its value is empty. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** An error with Docker's text. */
export function noSuchVolume(name: string): HealthctlError {
  return new HealthctlError('NOT_FOUND', `get ${name}: no such volume`);
}

/** The stored facts of a volume beside its content. */
export type VolumeRecord = Pick<Volume, 'createdAt' | 'labels' | 'options'>;

export function volumeJson({ createdAt, labels, options }: VolumeRecord): string {
  const given = Object.keys(options).length === 0 ? {} : { Options: options };
  return `${JSON.stringify({ CreatedAt: createdAt, Labels: labels, ...given })}\n`;
}

/** Throws CORRUPT naming the file. */
export function parseVolumeJson(text: string, path: string): VolumeRecord {
  const value = parseJsonText(text);
  if (isVolume(value))
    return { createdAt: value.CreatedAt, labels: value.Labels, options: textMapIn(objectIn(value).Options) };
  throw new HealthctlError('CORRUPT', `${path} does not describe a volume`, {
    hint: 'the content of the volume is in the directory _data beside it',
  });
}

const isVolume = objectOf({ CreatedAt: isText, Labels: mapOf(isText) });
