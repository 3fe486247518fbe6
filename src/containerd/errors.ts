import { type ErrorCode, HealthctlError } from '../lib/errors.ts';

/** An error of a gRPC library: the call's status code and containerd's message. */
export interface RpcFailure extends Error {
  readonly code?: number;
  readonly details?: string;
  /** Why the socket could not be used, e.g. `ENOENT`; undefined for what containerd itself answered. */
  readonly errno?: string | undefined;
}

/** gRPC status codes (grpc.io, "Status codes and their use") to ours. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  1: 'ABORTED',
  3: 'INVALID',
  4: 'TIMEOUT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'DENIED',
  8: 'EXHAUSTED',
  9: 'CONFLICT',
  10: 'CONFLICT',
  11: 'INVALID',
  14: 'UNAVAILABLE',
};

/**
 * Turns the failure of a call into a HealthctlError: the only place where gRPC codes are known.
 *
 * `address` is the path of the socket, named when nothing answers there; `signal` shows whether we cancelled the call,
 * or the server did.
 */
export function translateRpcError(
  failure: RpcFailure | undefined,
  address: string,
  method: string,
  signal?: AbortSignal,
): HealthctlError {
  if (signal?.aborted) return new HealthctlError('ABORTED', `${method} was cancelled`, { cause: failure });
  const details = failure?.details ?? failure?.message ?? 'unknown failure';
  const code = (failure?.code === undefined ? undefined : CODES[failure.code]) ?? 'RUNTIME';
  if (code === 'UNAVAILABLE') return unreachable(details, address, failure);
  if (code === 'TIMEOUT') {
    return new HealthctlError('TIMEOUT', `containerd at ${address} did not answer in time (${method})`, {
      cause: failure,
    });
  }
  if (/ttrpc: closed/.test(details)) {
    return new HealthctlError('UNKNOWN', 'the shim of the container closed the connection', {
      cause: failure,
      hint: 'it may have died: "healthctl ps -a" shows the state of the container',
    });
  }
  if (/no space left on device/.test(details)) {
    return new HealthctlError('EXHAUSTED', details, {
      cause: failure,
      hint: "free space on the file system of containerd's root directory",
    });
  }
  return new HealthctlError(code, details, { cause: failure });
}

function unreachable(details: string, address: string, cause: RpcFailure | undefined): HealthctlError {
  if (cause?.errno === 'EACCES' || cause?.errno === 'EPERM') {
    return new HealthctlError('DENIED', `permission denied on the containerd socket ${address}`, {
      cause,
      hint: 'run as root, or as a user who may open the socket',
    });
  }
  if (cause?.errno === 'ENOENT') {
    return new HealthctlError('UNAVAILABLE', `cannot connect to containerd: there is no socket at ${address}`, {
      cause,
      hint: 'start containerd, or give the path of its socket with --address or CONTAINERD_ADDRESS',
    });
  }
  return new HealthctlError('UNAVAILABLE', `cannot connect to containerd at ${address}: ${details}`, {
    cause,
    hint: 'is containerd running?',
  });
}
