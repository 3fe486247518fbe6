import type { Containerd } from '../containerd/client.ts';
import { quote } from '../go/quote.ts';
import { HealthctlError, hasCode, messageOf } from '../lib/errors.ts';
import { findRecord } from './find.ts';
import { giveName } from './give-name.ts';
import { fullName, parseReference, type Reference, withDefaultTag } from './reference.ts';

/**
 * Gives an image another name, and removes that from its previous image (docker/cli, image/tag.go): see giveName.
 *
 * @throws NOT_FOUND `No such image: x`; INVALID for an invalid name, or one with a digest
 */
export async function tagImage(
  world: { readonly containerd: Containerd },
  { source, target, signal }: { readonly source: string; readonly target: string; readonly signal: AbortSignal },
): Promise<void> {
  await nameImage(world, { source, reference: parse(target), signal });
}

/** Like tagImage, with a reference that was parsed; it gets the tag `latest` if it has none. */
export async function nameImage(
  { containerd }: { readonly containerd: Containerd },
  name: { readonly source: string; readonly reference: Reference; readonly signal: AbortSignal },
): Promise<void> {
  const { source, reference, signal } = name;
  refuseReference(reference);
  const { target: descriptor, labels } = await findRecord(containerd, source, { signal });
  await giveName(containerd, { name: fullName(withDefaultTag(reference)), target: descriptor, labels }, { signal });
}

function refuseReference(reference: Reference): void {
  if (reference.digest !== undefined)
    throw new HealthctlError('INVALID', 'refusing to create a tag with a digest reference');
  if (reference.path === 'library/sha256')
    throw new HealthctlError('INVALID', 'refusing to create an ambiguous tag using digest algorithm as name');
}

function parse(target: string): Reference {
  try {
    return parseReference(target);
  } catch (error) {
    if (!hasCode(error, 'INVALID')) throw error;
    const message = `Error parsing reference: ${quote(target)} is not a valid repository/tag: ${messageOf(error)}`;
    throw new HealthctlError('INVALID', message, { cause: error });
  }
}
