import type { Containerd } from '../containerd/client.ts';
import type { Clock } from '../lib/clock.ts';
import { randomHex } from '../lib/random.ts';
import { hasEnded, ownIdentity } from '../system/process-identity.ts';

/** When containerd drops a lease that no sweep removes: no pull takes longer. */
const LEASE_LIFE_MS = 24 * 60 * 60 * 1000;

/** Prefix of our leases. */
const OUR_LEASES = 'healthctl-';

/** Random letters and digits, for unique names. */
export function randomSuffix(): string {
  return randomHex(8);
}

/**
 * Runs `work` with a client whose new blobs and snapshots are held by a lease, and drops the lease afterwards. After a
 * failure, everything it created is collected before this returns. Also drops the leases of killed commands.
 */
export async function withImageLease<T>(
  { containerd, clock }: { readonly containerd: Containerd; readonly clock: Clock },
  work: (leased: Containerd) => Promise<T>,
): Promise<T> {
  const id = `${OUR_LEASES}image-${randomSuffix()}`;
  // Not cancelled half-way: we must know whether there is a lease to delete.
  await containerd.leases.create({ id, expiresAtMs: clock.now() + LEASE_LIFE_MS, holder: ownIdentity() });
  const swept = sweepLeases(containerd).catch(() => 0);
  let failed = true;
  try {
    const result = await work(containerd.withLease(id));
    failed = false;
    return result;
  } finally {
    await swept;
    // A lease that cannot be deleted (containerd went away) expires by itself; the first failure is reported.
    await containerd.leases.delete({ id, sync: failed }).catch(() => undefined);
  }
}

/**
 * Drops the leases of our commands that ended without doing so, by SIGKILL or with the host: their content would use
 * space for up to a day. A lease stays if its process lives, or may live in another PID namespace. Returns the number
 * of dropped leases.
 */
export async function sweepLeases({ leases }: Pick<Containerd, 'leases'>): Promise<number> {
  const abandoned = (await leases.list()).filter(
    ({ id, holder }) => id.startsWith(OUR_LEASES) && holder !== undefined && hasEnded(holder),
  );
  for (const { id } of abandoned) await leases.delete({ id });
  return abandoned.length;
}
