import { errnoOf, HealthctlError, messageOf } from '../lib/errors.ts';
import { openBeneath } from '../system/openat2.ts';

/**
 * Opens a part of a volume, a directory or a file, whose content may be hostile: symbolic links are followed only where
 * they stay in the volume.
 *
 * @param base the directory of the volume's content
 * @returns a descriptor with O_PATH; the caller closes it
 * @throws NOT_FOUND and INVALID with Docker's texts (moby: internal/safepath)
 */
export function openPart(base: string, part: string): number {
  try {
    return openBeneath(base, part);
  } catch (cause) {
    if (errnoOf(cause) === 'EXDEV')
      throw new HealthctlError(
        'INVALID',
        `path concatenation escapes the base directory, base: ${base}, subpath: ${part}`,
        { cause },
      );
    throw new HealthctlError('NOT_FOUND', `cannot access path ${base}/${part}: ${messageOf(cause)}`, { cause });
  }
}
