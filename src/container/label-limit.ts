import { HealthctlError } from '../lib/errors.ts';
import { LABELS } from '../lib/labels.ts';

/** containerd: labels/validate.go, key and value together. */
const MAX_LABEL_BYTES = 4096;

/** Throws INVALID for a label that containerd would refuse, in words that say what to do. */
export function refuseLongLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes <= MAX_LABEL_BYTES) continue;
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
