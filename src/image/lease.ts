import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { randomHex } from '../lib/random.ts';
import { hasEnded, ownIdentity } from '../system/process-identity.ts';

/** When containerd drops a lease by itself, should nobody sweep: no pull takes longer. */
const LEASE_LIFE_MS = 24 * 60 * 60 * 1000;

/** Whose leases are ours. */
const OUR_LEASES = 'healthctl-';

/** Random letters and digits, for names that nobody else may use. */
export function randomSuffix(): string {
  return randomHex(8);
}

/**
 * Runs `work` with a client whose new blobs and snapshots a lease holds, and drops the lease after it. When it fails, what it made is
 * collected before this returns. Meanwhile the leases are dropped of commands that were killed.
 */
export async function withImageLease<T>(
  { containerd, clock }: { readonly containerd: Containerd; readonly clock: Clock },
  work: (leased: Containerd) => Promise<T>,
): Promise<T> {
  const id = `${OUR_LEASES}image-${randomSuffix()}`;
  // Not cancelled half-way: whether there is a lease to delete must be known.
  await containerd.leases.create({ id, expiresAtMs: clock.now() + LEASE_LIFE_MS, holder: ownIdentity() });
  const swept = sweepLeases(containerd).catch(() => 0);
  let failed = true;
  try {
    const result = await work(containerd.withLease(id));
    failed = false;
    return result;
  } finally {
    await swept;
    // A lease that cannot be deleted (containerd went away) ends by itself; the first failure is the one to tell.
    await containerd.leases.delete({ id, sync: failed }).catch(() => undefined);
  }
}

/**
 * Drops the leases of our commands that ended without doing it, by SIGKILL or with the host: what they hold takes space for up to a day. One
 * whose process lives, or may live in another PID namespace, stays. Returns how many were dropped.
 */
export async function sweepLeases({ leases }: Pick<Containerd, 'leases'>): Promise<number> {
  const abandoned = (await leases.list()).filter(
    ({ id, holder }) => id.startsWith(OUR_LEASES) && holder !== undefined && hasEnded(holder),
  );
  for (const { id } of abandoned) await leases.delete({ id });
  return abandoned.length;
}
