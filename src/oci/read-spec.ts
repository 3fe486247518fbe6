import { HealthctlError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { isObject } from '../lib/shape.ts';
import type { RuntimeSpec } from './types.ts';

/**
 * Checks one JSON value: returns what is wrong with it at `path`, or undefined. Hand-written instead of a schema
 * library, because the exec probe reads specs and must load fast.
 */
type Guard = (value: unknown, path: string) => string | undefined;

/** Far beyond any real spec, and far below the limit of the stack. */
const MAX_DEPTH = 200;

/**
 * Reads a runtime spec as containerd stores it, made by anybody (ctr, nerdctl, CRI, us): a JSON text, or its bytes.
 * Integers beyond 2^53 survive as bigint. Throws CORRUPT.
 */
export function decodeRuntimeSpec(json: string | Uint8Array): RuntimeSpec {
  return parseRuntimeSpec(decodeJson(typeof json === 'string' ? json : new TextDecoder().decode(json)));
}

/**
 * Checks the fields that RuntimeSpec names and keeps all others unchanged: an exec uses the container's whole
 * `process`, and nothing of its security profile may be lost. `null` counts as absent (Go writes it for empty lists).
 * Throws CORRUPT with the field.
 */
export function parseRuntimeSpec(json: unknown): RuntimeSpec {
  const value = withoutNulls(json);
  const fault = spec(value, 'spec');
  if (fault !== undefined) throw new HealthctlError('CORRUPT', `invalid OCI runtime spec: ${fault}`);
  return value as RuntimeSpec;
}

function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new HealthctlError('CORRUPT', 'invalid OCI runtime spec: nested too deeply');
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member, depth + 1)]));
}

const string: Guard = (value, path) => (typeof value === 'string' ? undefined : `${path} is not a string`);
const boolean: Guard = (value, path) => (typeof value === 'boolean' ? undefined : `${path} is not a boolean`);
const integer: Guard = (value, path) =>
  typeof value === 'bigint' || Number.isInteger(value) ? undefined : `${path} is not an integer`;
const id: Guard = (value, path) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
    ? undefined
    : `${path} is not an id from 0 to 4294967295`;
const smallInteger: Guard = (value, path) => (Number.isSafeInteger(value) ? undefined : `${path} is not an integer`);

function listOf(item: Guard): Guard {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} is not a list`;
    for (const [index, member] of value.entries()) {
      const fault = item(member, `${path}[${index}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

function mapOf(item: Guard): Guard {
  return (value, path) => {
    if (!isObject(value)) return `${path} is not an object`;
    for (const [key, member] of Object.entries(value)) {
      const fault = item(member, `${path}.${key}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

function objectOf(required: Readonly<Record<string, Guard>>, optional: Readonly<Record<string, Guard>> = {}): Guard {
  const all = [...Object.entries(required), ...Object.entries(optional)];
  return (value, path) => {
    if (!isObject(value)) return `${path} is not an object`;
    for (const [key, guard] of all) {
      const member = value[key];
      if (member === undefined && !(key in required)) continue;
      const fault = guard(member, `${path}.${key}`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

const strings = listOf(string);
const process = objectOf(
  { user: objectOf({ uid: id, gid: id }, { additionalGids: listOf(id), umask: id }), cwd: string },
  {
    terminal: boolean,
    args: strings,
    env: strings,
    capabilities: objectOf(
      {},
      { bounding: strings, effective: strings, inheritable: strings, permitted: strings, ambient: strings },
    ),
    rlimits: listOf(objectOf({ type: string, soft: integer, hard: integer })),
    noNewPrivileges: boolean,
    apparmorProfile: string,
    selinuxLabel: string,
    oomScoreAdj: smallInteger,
  },
);
const seccompArgument = objectOf({ index: smallInteger, value: integer, op: string }, { valueTwo: integer });
const seccomp = objectOf(
  { defaultAction: string },
  {
    defaultErrnoRet: smallInteger,
    architectures: strings,
    flags: strings,
    syscalls: listOf(
      objectOf({ names: strings, action: string }, { errnoRet: smallInteger, args: listOf(seccompArgument) }),
    ),
  },
);
const resources = objectOf(
  {},
  {
    devices: listOf(
      objectOf({ allow: boolean }, { type: string, major: smallInteger, minor: smallInteger, access: string }),
    ),
    memory: objectOf({}, { limit: integer, swap: integer, reservation: integer, disableOOMKiller: boolean }),
    cpu: objectOf(
      {},
      {
        quota: integer,
        period: integer,
        shares: integer,
        realtimeRuntime: integer,
        realtimePeriod: integer,
        cpus: string,
        mems: string,
      },
    ),
    pids: objectOf({}, { limit: integer }),
    blockIO: objectOf({}, { weight: smallInteger }),
  },
);
const device = objectOf(
  { path: string, type: string },
  { major: smallInteger, minor: smallInteger, fileMode: smallInteger, uid: id, gid: id },
);
const linux = objectOf(
  {},
  {
    namespaces: listOf(objectOf({ type: string }, { path: string })),
    resources,
    devices: listOf(device),
    maskedPaths: strings,
    readonlyPaths: strings,
    seccomp,
    cgroupsPath: string,
    rootfsPropagation: string,
    sysctl: mapOf(string),
  },
);
const mount = objectOf({ destination: string }, { type: string, source: string, options: strings });
const spec = objectOf(
  { ociVersion: string },
  {
    process,
    root: objectOf({ path: string }, { readonly: boolean }),
    hostname: string,
    mounts: listOf(mount),
    linux,
    annotations: mapOf(string),
  },
);
