import { checkKindOf, type GivenHealthConfig, isChecked } from '../../health/config.ts';
import type { ParsedHealthConfig } from '../../health/config-json.ts';

/** Why a container has no check, and what to do. Sentences without a full stop. */
export interface Unchecked {
  readonly what: string;
  readonly remedy: string;
}

const GIVE = 'give it one with update --health-cmd, --health-http, --health-tcp or --health-grpc';

/**
 * Call it for a container without a check.
 *
 * @param image the check of its image; undefined if the image is not known any more
 */
export function uncheckedFrom(parsed: ParsedHealthConfig, image: GivenHealthConfig | undefined): Unchecked {
  if (parsed.kind === 'malformed')
    return { what: `the label with its health check is damaged: ${parsed.reason}`, remedy: GIVE };
  const kind = checkKindOf(parsed.kind === 'config' ? parsed.config.test : undefined);
  switch (kind.kind) {
    case 'disabled':
      return { what: 'its health check is switched off (NONE)', remedy: GIVE };
    case 'unknown':
      return {
        what: `the kind of its health check, ${JSON.stringify(kind.type)}, is not known: CMD, CMD-SHELL, HTTP, TCP, GRPC or NONE`,
        remedy: GIVE,
      };
    case 'malformed':
      return { what: `its ${kind.type} check cannot be read: ${kind.reason}`, remedy: GIVE };
    case 'none':
    case 'exec':
    case 'no-command':
    case 'http':
    case 'tcp':
    case 'grpc': {
      if (!isChecked(image)) return { what: 'neither its image nor an option has a health check', remedy: GIVE };
      return { what: 'its image has a health check, which the container was made without', remedy: GIVE };
    }
  }
}
