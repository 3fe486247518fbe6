import { HealthctlError } from '../lib/errors.ts';
import type { ContainerdEvent } from './events.ts';

/** The next matching event. A subscription never ends by itself: it throws. */
export async function nextOf(
  subscription: AsyncIterator<ContainerdEvent>,
  isWanted: (event: ContainerdEvent) => boolean,
): Promise<ContainerdEvent> {
  for (;;) {
    const { value, done } = await subscription.next();
    if (done) throw new HealthctlError('UNAVAILABLE', 'containerd ended the stream of events');
    if (isWanted(value)) return value;
  }
}
