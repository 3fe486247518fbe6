import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { type Bed, openBed } from './harness.ts';

/** A bed for tests with nerdctl's labels and files. */
export interface NerdctlBed {
  readonly bed: Bed;
  readonly image: string;
  /** nerdctl's. */
  readonly dataRoot: string;
  /** Closes the bed, and removes nerdctl's data root. */
  close(): Promise<void>;
}

/** @param config further lines of healthctl's configuration file */
export async function openNerdctlBed(config: readonly string[] = []): Promise<NerdctlBed> {
  // Below a directory that only root can write to, because healthctl trusts programs only there.
  const dataRoot = `/run/healthctl-test-${randomBytes(4).toString('hex')}`;
  mkdirSync(dataRoot, { mode: 0o700 });
  let bed: Bed | undefined;
  const close = async (): Promise<void> => {
    try {
      await bed?.[Symbol.asyncDispose]();
    } finally {
      rmSync(dataRoot, { recursive: true, force: true });
    }
  };
  try {
    bed = await openBed(['autostart = false', `nerdctl_data_root = "${dataRoot}"`, ...config]);
    return { bed, image: await bed.image(), dataRoot, close };
  } catch (error) {
    await close();
    throw error;
  }
}
