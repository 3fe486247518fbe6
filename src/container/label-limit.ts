import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';

/** containerd: labels/validate.go, key and value together. */
const MAX_LABEL_BYTES = 4096;

/** Whether containerd takes a label. */
export function fitsLabel(key: string, value: string): boolean {
  return Buffer.byteLength(key) + Buffer.byteLength(value) <= MAX_LABEL_BYTES;
}

/** Throws INVALID for a label that containerd would refuse, in words that say what to do. */
export function refuseLongLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    if (fitsLabel(key, value)) continue;
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    const isHealth = key === LABELS.nerdctlHealthcheck || key === LABELS.healthcheck;
    throw new HealthctlError(
      'INVALID',
      `${isHealth ? 'the health check' : `the label ${key}`} is too long: ${bytes} bytes, containerd takes ${MAX_LABEL_BYTES}`,
      {
        ...(isHealth ? { hint: 'put the command into a script in the image' } : {}),
      },
    );
  }
}
