import { type Platform, parsePlatform } from '../../image/platform.ts';
import { HealthctlError, messageOf } from '../../lib/errors.ts';
import { isText, type JsonObject } from '../../lib/shape.ts';
import { parseJsonBody } from '../json-body.ts';
import type { Call } from '../route.ts';
import { isSince } from '../version.ts';

/**
 * The parameter `platform` as JSON of OCI's platform (moby: daemon/server/httputils/form.go). Undefined without one, and
 * for clients older than the parameter.
 *
 * @param parameter.since minor version that has it
 */
export function platformOf({ query, version }: Call, { since }: { readonly since: number }): Platform | undefined {
  if (!isSince(version, since)) return undefined;
  const texts = query.all('platform').filter((text) => text !== '');
  const [text] = texts;
  if (text === undefined) return undefined;
  if (texts.length > 1) throw new HealthctlError('INVALID', 'multiple platform parameters not supported');
  return platformFrom(text);
}

/** Throws INVALID with Go's reason. */
function parsed(text: string): JsonObject {
  try {
    return parseJsonBody(text);
  } catch (cause) {
    const reason = messageOf(cause).replace(/^invalid JSON: /, '');
    throw new HealthctlError('INVALID', `failed to parse platform: ${reason}`, { cause });
  }
}

function platformFrom(text: string): Platform {
  const value = parsed(text);
  const field = (key: string): string => (isText(value[key]) ? value[key] : '');
  const [os, architecture, variant] = [field('os'), field('architecture'), field('variant')];
  if (os !== '' && architecture !== '') {
    return parsePlatform([os, architecture, ...(variant === '' ? [] : [variant])].join('/'));
  }
  const isOptionalOnly = os === '' && architecture === '' && variant !== '';
  throw new HealthctlError(
    'INVALID',
    isOptionalOnly
      ? 'optional platform fields provided, but OS and Architecture are missing'
      : 'both OS and Architecture must be provided',
  );
}
