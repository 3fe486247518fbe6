import { closeSync, constants, openSync } from 'node:fs';
import { errnoOf, HealthctlError, messageOf } from '../../lib/errors.ts';
import { O_CLOEXEC, O_PATH } from '../openat2.ts';
import { extractTree } from './extract.ts';
import { packTree } from './pack.ts';

/** A local file or directory as an archive. @param node.name one component; `.`: the directory itself */
export async function* packLocal(
  directory: string,
  node: { readonly name: string; readonly shownAs: string; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const { name, shownAs, signal } = node;
  const dir = openPlace(directory);
  try {
    const isDirectory = name === '.' || name === '/';
    yield* packTree({
      ...{ dir, name: isDirectory ? undefined : Buffer.from(name), shownAs: Buffer.from(shownAs), signal },
    });
  } finally {
    closeSync(dir);
  }
}

/** Extracts an archive that nobody vouches for into a local directory, for the present user. */
export async function extractInto(
  directory: string,
  source: AsyncIterable<Uint8Array>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const root = openPlace(directory);
  try {
    await extractTree(source, { root, at: '.', called: directory, keepsKinds: true, owner: 'process', signal });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new HealthctlError('INVALID', messageOf(error).replace(/\/proc\/self\/fd\/\d+/, directory), { cause: error });
  } finally {
    closeSync(root);
  }
}

const openPlace = (directory: string): number => openSync(directory, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
