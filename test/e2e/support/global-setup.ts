import type { TestProject } from 'vitest/node';
import { type PrivateContainerd, startContainerd } from '../../../testbed/private-containerd.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The private containerd of this run. */
    testbed: { readonly directory: string; readonly address: string };
  }
}

/**
 * One containerd for a whole run of vitest. The projects that need it run in this process; the last one to end stops
 * it.
 */
interface Shared {
  users: number;
  readonly containerd: Promise<PrivateContainerd>;
}

const KEY = Symbol.for('healthctl.testbed');
const shared = globalThis as { [KEY]?: Shared };

export default async function setUpTestbed(project: TestProject): Promise<() => Promise<void>> {
  const mine = shared[KEY] ?? { users: 0, containerd: startContainerd() };
  shared[KEY] = mine;
  mine.users += 1;
  const { directory, address, stop } = await mine.containerd;
  project.provide('testbed', { directory, address });
  return async () => {
    mine.users -= 1;
    if (mine.users > 0) return;
    delete shared[KEY];
    await stop();
  };
}
