import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Wire,
} from '../../containerd/gen/grpc/health.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { createGrpcServer, type GrpcServer } from './grpc-server.ts';
import type { GrpcCall } from './grpc-server-call.ts';
import { GRPC_STATUS } from './grpc-status.ts';

export type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'UNKNOWN';

/** The source of answers. A service is a container: `namespace/name` or `namespace/id`. */
export interface HealthSource {
  /** Undefined for an unknown service. Called for each request, and cheap. */
  statusOf(service: string): ServingStatus | undefined;
  /**
   * Calls the listener after a status was changed, added or removed, once for every name of the container; extra calls
   * do no harm.
   * @returns a function that ends this
   */
  onChange(listener: (service: string) => void): () => void;
}

export interface GrpcHealthServerOptions {
  /** Connections at the same time. Default 100. */
  readonly maxConnections?: number;
  /** The Unix socket. */
  readonly path: string;
  readonly source: HealthSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Mode of the socket. Default 0600, or 0660 with a group. */
  readonly mode?: number;
  /** The group that may use the socket. */
  readonly groupId?: number | undefined;
}

/**
 * The gRPC health checking protocol: `grpc.health.v1.Health` with Check and Watch, so that Envoy, grpc_health_probe and
 * the like can query a container's health. The service without a name is the monitor itself, which always serves.
 *
 * Watch sends the present status at once and then each change; if changes come faster than the client reads, it sends
 * the last.
 */
const DEFAULT_MAX_CONNECTIONS = 100;

export function openGrpcHealthServer(options: GrpcHealthServerOptions): GrpcServer {
  const { source, groupId, mode = groupId === undefined ? 0o600 : 0o660 } = options;
  const watches = createWatches(source);
  const server = createGrpcServer({
    ...{ path: options.path, mode, groupId, clock: options.clock, log: options.log },
    maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    methods: new Map([
      ['/grpc.health.v1.Health/Check', (call) => answerCheck(source, call)],
      ['/grpc.health.v1.Health/Watch', (call) => watches.add(call)],
    ]),
  });
  return {
    start: async () => {
      await server.start();
      watches.start();
    },
    stop: async () => {
      watches.stop();
      await server.stop();
    },
  };
}

const STATUSES: Readonly<Record<ServingStatus, Wire>> = {
  UNKNOWN: Wire.UNKNOWN,
  SERVING: Wire.SERVING,
  NOT_SERVING: Wire.NOT_SERVING,
};

function statusOf(source: HealthSource, service: string): Wire | undefined {
  if (service === '') return Wire.SERVING;
  const status = source.statusOf(service);
  return status && STATUSES[status];
}

const encodeStatus = (status: Wire): Uint8Array => HealthCheckResponse.encode({ status }).finish();

/** The requested service; undefined if the request is invalid, and the call was ended. */
function serviceOf(call: GrpcCall): string | undefined {
  try {
    return HealthCheckRequest.decode(call.request).service;
  } catch {
    call.end({ code: GRPC_STATUS.internal, details: 'the request is no HealthCheckRequest' });
    return undefined;
  }
}

function answerCheck(source: HealthSource, call: GrpcCall): void {
  const service = serviceOf(call);
  if (service === undefined) return;
  const status = statusOf(source, service);
  if (status !== undefined) call.send(encodeStatus(status));
  call.end(
    status === undefined
      ? { code: GRPC_STATUS.notFound, details: `unknown service ${service}` }
      : { code: GRPC_STATUS.ok },
  );
}

interface Watches {
  add(call: GrpcCall): void;
  /** Both may be called again. */
  start(): void;
  stop(): void;
}

function createWatches(source: HealthSource): Watches {
  /** Callbacks for services that may have changed. */
  const updates = new Map<string, Set<() => void>>();
  let unsubscribe: (() => void) | undefined;
  return {
    add: (call) => {
      const service = serviceOf(call);
      if (service === undefined) return;
      const sendUpdate = followStatus(call, () => statusOf(source, service) ?? Wire.SERVICE_UNKNOWN);
      const ofService = updates.get(service) ?? new Set();
      updates.set(service, ofService.add(sendUpdate));
      call.onEnd(() => {
        ofService.delete(sendUpdate);
        if (ofService.size === 0 && updates.get(service) === ofService) updates.delete(service);
      });
      sendUpdate();
    },
    start: () => {
      unsubscribe ??= source.onChange((service) => {
        for (const sendUpdate of updates.get(service) ?? []) sendUpdate();
      });
    },
    stop: () => {
      unsubscribe?.();
      unsubscribe = undefined;
    },
  };
}

/**
 * @returns a function that sends the status if it differs from the last one sent; while a message is under way, it
 *   waits
 */
function followStatus(call: GrpcCall, statusNow: () => Wire): () => void {
  let sent: Wire | undefined;
  let isSending = false;
  const sendUpdate = (): void => {
    if (isSending || call.isOver) return;
    const status = statusOrEnd(call, statusNow);
    if (status === undefined || status === sent) return;
    sent = status;
    isSending = true;
    call.send(encodeStatus(status), () => {
      isSending = false;
      sendUpdate();
    });
  };
  return sendUpdate;
}

/** A failing lookup ends only the call that asked for it, never a call that triggered it. */
function statusOrEnd(call: GrpcCall, statusNow: () => Wire): Wire | undefined {
  try {
    return statusNow();
  } catch {
    call.end({ code: GRPC_STATUS.internal, details: 'the status is not known' });
    return undefined;
  }
}
