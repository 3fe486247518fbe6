import { type ErrorCode, HealthctlError } from '../lib/errors.ts';
import type { Transport } from './transport.ts';

/** Number of failed calls by error code. */
export type CallFailures = ReadonlyMap<ErrorCode, number>;

/** Answers and our own cancelling, not failures of containerd. */
const EXPECTED: readonly ErrorCode[] = ['NOT_FOUND', 'ALREADY_EXISTS', 'ABORTED'];

/** The same transport, with its failed calls counted. Streams are not: their failures are seen as reconnects. */
export function countFailures(transport: Transport): {
  readonly transport: Transport;
  readonly failures: CallFailures;
} {
  const failures = new Map<ErrorCode, number>();
  const failed = (error: unknown): never => {
    const code = error instanceof HealthctlError ? error.code : 'INTERNAL';
    if (!EXPECTED.includes(code)) failures.set(code, (failures.get(code) ?? 0) + 1);
    throw error;
  };
  return {
    failures,
    transport: {
      ...transport,
      unary: (service, method, request, headers, options) =>
        transport.unary(service, method, request, headers, options).catch(failed),
    },
  };
}
