import { HealthctlError } from '../lib/errors.ts';

/** An image reference in its full form: `docker.io/library/busybox`, with a tag, a digest, both or neither. */
export interface Reference {
  /** Registry, e.g. `docker.io`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Path in the registry, e.g. `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  /** E.g. `sha256:…`. */
  readonly digest?: string;
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
const DEFAULT_TAG = 'latest';
const MAX_PATH_LENGTH = 255;
/** No valid reference is as long: 255 for the path, 128 for the tag, 135 for a sha512 digest, 253 for the host. */
const MAX_LENGTH = 2048;

const IDENTIFIER = /^[a-f0-9]{64}$/;
const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
/** Length of the hexadecimal part, by algorithm (github.com/opencontainers/go-digest). */
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/**
 * Parses what a user types (`busybox`, `foo/bar:1`, `127.0.0.1:5000/x@sha256:…`) by the rules of
 * github.com/distribution/reference: without a registry it is `docker.io`, there without a `/` it is in `library/`. No
 * tag is added: see withDefaultTag.
 *
 * Throws INVALID with the texts of that library, which Docker prints. One thing is stricter: a first part that looks
 * like a registry (it holds a dot) but is no host name, e.g. `a_b.com/x`, is refused here and not only when it is
 * pulled.
 */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text)) {
    throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  if (text.length > MAX_LENGTH) throw invalid('invalid reference format');
  const { domain, remainder } = splitDomain(text);
  const colon = remainder.indexOf(':');
  const name = colon < 0 ? remainder : remainder.slice(0, colon);
  if (name.toLowerCase() !== name) {
    throw invalid(`invalid reference format: repository name (${name}) must be lowercase`);
  }
  const parts = splitRemainder(remainder);
  if (!parts || !DOMAIN.test(domain)) throw invalid('invalid reference format');
  if (parts.path.length > MAX_PATH_LENGTH) {
    throw invalid(`repository name must not be more than ${MAX_PATH_LENGTH} characters`);
  }
  if (parts.digest !== undefined) checkDigest(parts.digest);
  return { domain, ...parts };
}

/** Adds the tag `latest` to a reference that has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** The whole, e.g. `docker.io/library/busybox:latest`: the name of the image record in containerd. */
export function fullName(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffixOf(reference)}`;
}

/** Docker's short form: without `docker.io/` and `library/`. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffixOf(reference)}`;
}

/** The familiar name without tag and digest, e.g. `busybox`, `127.0.0.1:5000/x`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const official = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : '';
  return official !== '' && !official.includes('/') ? official : path;
}

/** The name of an image record in Docker's form; a name that is no reference stays unchanged. */
export function familiarRecordName(name: string): string {
  const reference = tryParseReference(name);
  return reference ? familiarName(reference) : name;
}

/** Undefined for an invalid text. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

const suffixOf = ({ tag, digest }: Reference) =>
  `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;

function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = !isDomain || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const remainder = isDomain ? text.slice(slash + 1) : text;
  const isOfficial = domain === DEFAULT_DOMAIN && !remainder.includes('/');
  return { domain, remainder: isOfficial ? OFFICIAL_PREFIX + remainder : remainder };
}

function splitRemainder(remainder: string): { path: string; tag?: string; digest?: string } | undefined {
  const at = remainder.indexOf('@');
  const digest = at < 0 ? undefined : remainder.slice(at + 1);
  const rest = at < 0 ? remainder : remainder.slice(0, at);
  const colon = rest.indexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (!PATH.test(path)) return undefined;
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  return { path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function checkDigest(digest: string): void {
  const [algorithm = '', hex = ''] = digest.split(':');
  const length = Object.hasOwn(DIGEST_LENGTHS, algorithm) ? DIGEST_LENGTHS[algorithm] : undefined;
  if (length === undefined) throw invalid('unsupported digest algorithm');
  if (hex.length !== length) throw invalid('invalid checksum digest length');
  if (hex.toLowerCase() !== hex) throw invalid('invalid checksum digest format');
}

const invalid = (message: string) => new HealthctlError('INVALID', message);
