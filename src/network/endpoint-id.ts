import { sha256Hex } from '../lib/sha256.ts';
import type { Attachment } from './attachment.ts';

/** Docker's id of a container's interface on a network: the same in all documents, another in each run. */
export function endpointIdOf({ id, holder }: Pick<Attachment, 'id' | 'holder'>, networkId: string): string {
  return sha256Hex(`${id}/${networkId}/${holder.pid}/${holder.startTimeTicks}`);
}
