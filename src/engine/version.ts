import { EngineError } from './errors.ts';

/** A version of Docker's API: 1.51 is `{ major: 1, minor: 51 }`. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** The newest and the oldest version that is served: those of Docker 28.5. */
const API_VERSION: ApiVersion = { major: 1, minor: 51 };
const MIN_API_VERSION: ApiVersion = { major: 1, minor: 24 };
/** The release of Docker whose answers are given. */
export const DOCKER_VERSION = '28.5.2';

export const API_VERSION_TEXT = textOf(API_VERSION);
export const MIN_API_VERSION_TEXT = textOf(MIN_API_VERSION);

/** Whether a client's version is at least 1.`minor`. */
export const isSince = (version: ApiVersion, minor: number): boolean => !isOlder(version, { major: 1, minor });

/**
 * Reads the version of a request's path (moby: daemon/server/middleware/version.go).
 *
 * @param text `1.47`; undefined for a path without one, which gets the newest
 * @throws EngineError 400 with Docker's texts: plain text for one that is too old
 */
export function negotiate(text: string | undefined): ApiVersion {
  if (text === undefined) return API_VERSION;
  const [major = 0, minor = 0] = text.split('.').map(Number);
  const version = { major, minor };
  if (isOlder(version, MIN_API_VERSION)) {
    const message = `client version ${text} is too old. Minimum supported API version is ${MIN_API_VERSION_TEXT}, please upgrade your client to a newer version`;
    throw new EngineError(400, message, { isPlain: true });
  }
  if (isOlder(API_VERSION, version))
    throw new EngineError(
      400,
      `client version ${text} is too new. Maximum supported API version is ${API_VERSION_TEXT}`,
    );
  return version;
}

function textOf({ major, minor }: ApiVersion): string {
  return `${major}.${minor}`;
}

const isOlder = (a: ApiVersion, b: ApiVersion): boolean =>
  a.major === b.major ? a.minor < b.minor : a.major < b.major;
