import type { ContainerRecord, Containers } from '../containerd/containers.ts';
import { hasCode } from '../lib/errors.ts';

/** The container of this id; undefined when containerd has none. Throws containerd's other errors. */
export async function findContainer(
  containers: Pick<Containers, 'get'>,
  id: string,
): Promise<ContainerRecord | undefined> {
  try {
    return await containers.get(id);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Whether containerd has a container of this id. Throws containerd's other errors. */
export const containerExists = async (containers: Pick<Containers, 'get'>, id: string): Promise<boolean> =>
  (await findContainer(containers, id)) !== undefined;
