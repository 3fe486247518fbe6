import { HealthctlError } from '../lib/errors.ts';

/** A directory that outlives containers. */
export interface Volume {
  readonly name: string;
  /** RFC 3339 in seconds, as Docker's. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where its content is on the host. */
  readonly mountpoint: string;
}

/** Docker's label of a volume that nobody named; its value is empty. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** Docker's text, as an error. */
export function noSuchVolume(name: string): HealthctlError {
  return new HealthctlError('NOT_FOUND', `get ${name}: no such volume`);
}

/** What is kept of a volume beside its content. */
export type VolumeRecord = Pick<Volume, 'createdAt' | 'labels'>;

export function volumeJson({ createdAt, labels }: VolumeRecord): string {
  return `${JSON.stringify({ CreatedAt: createdAt, Labels: labels })}\n`;
}

/** Throws CORRUPT naming the file. */
export function parseVolumeJson(text: string, path: string): VolumeRecord {
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && 'CreatedAt' in value && 'Labels' in value) {
    const { CreatedAt: createdAt, Labels: labels } = value;
    if (typeof createdAt === 'string' && isStringMap(labels)) return { createdAt, labels };
  }
  throw new HealthctlError('CORRUPT', `${path} does not describe a volume`, {
    hint: 'the content of the volume is in the directory _data beside it',
  });
}

const isStringMap = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
