import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { randomHex } from '../lib/random.ts';

/** When containerd drops a lease by itself, should we be killed: no pull takes longer. */
const LEASE_LIFE_MS = 24 * 60 * 60 * 1000;

/** Random letters and digits, for names that nobody else may use. */
export function randomSuffix(): string {
  return randomHex(8);
}

/**
 * Runs `work` with a client whose new blobs and snapshots a lease holds, and drops the lease after it. When it fails, what it made is
 * collected before this returns.
 */
export async function withImageLease<T>(
  { containerd, clock }: { readonly containerd: Containerd; readonly clock: Clock },
  work: (leased: Containerd) => Promise<T>,
): Promise<T> {
  const id = `healthctl-image-${randomSuffix()}`;
  // Not cancelled half-way: whether there is a lease to delete must be known.
  await containerd.leases.create({ id, expiresAtMs: clock.now() + LEASE_LIFE_MS });
  let failed = true;
  try {
    const result = await work(containerd.withLease(id));
    failed = false;
    return result;
  } finally {
    // A lease that cannot be deleted (containerd went away) ends by itself; the first failure is the one to tell.
    await containerd.leases.delete({ id, sync: failed }).catch(() => undefined);
  }
}
