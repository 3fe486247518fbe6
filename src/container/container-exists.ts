import type { Containers } from '../containerd/containers.ts';
import { hasCode } from '../lib/errors.ts';

/** Whether containerd has a container of this id. Throws containerd's other errors. */
export async function containerExists(containers: Pick<Containers, 'get'>, id: string): Promise<boolean> {
  try {
    await containers.get(id);
    return true;
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
