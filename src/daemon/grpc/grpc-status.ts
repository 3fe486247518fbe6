/** gRPC's status codes (grpc.io, "Status codes and their use") in answers of our server. */
export const GRPC_STATUS = {
  ok: 0,
  deadlineExceeded: 4,
  notFound: 5,
  exhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** How a call ended. */
export interface GrpcStatus {
  readonly code: (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];
  readonly details?: string;
}

/**
 * As trailers, or as the headers of an answer without a message; the text is percent-encoded (gRPC over HTTP/2,
 * "Status-Message").
 */
export function statusHeaders({ code, details }: GrpcStatus): Record<string, string> {
  const text = details?.replace(/[^ -$&-~]/gu, encodeURIComponent);
  return { 'grpc-status': `${code}`, ...(text === undefined ? {} : { 'grpc-message': text }) };
}

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);

/** The header `grpc-timeout`, e.g. `100m`, in milliseconds; Infinity if absent, undefined if invalid. */
export function timeoutMsFrom(header: string | undefined): number | undefined {
  if (header === undefined) return Number.POSITIVE_INFINITY;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  const scale = UNITS_MS.get(unit);
  return digits === undefined || scale === undefined ? undefined : Number(digits) * scale;
}
