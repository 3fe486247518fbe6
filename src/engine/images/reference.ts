import { parseReference, type Reference, withDefaultTag } from '../../image/reference.ts';
import { HealthctlError } from '../../lib/errors.ts';

/**
 * Repository and tag as two parameters (moby: daemon/server/httputils/form.go); without a tag it is `latest`.
 *
 * @throws INVALID with Docker's texts
 */
export function repoTagReference(repo: string, tag: string): Reference {
  const reference = parseReference(repo);
  if (reference.digest !== undefined) throw new HealthctlError('INVALID', 'cannot import digest reference');
  return tag === '' ? withDefaultTag(reference) : withTag(reference, tag);
}

/** Throws INVALID `invalid tag format`. */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new HealthctlError('INVALID', 'invalid tag format');
  return { domain, path, tag };
}
