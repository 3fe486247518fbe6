import { closeSync } from 'node:fs';
import { errnoOf, fileReasonOf, HealthctlError } from '../lib/errors.ts';
import { bindPort, listenOn } from '../system/host-port.ts';
import { portInUse, type TryPort } from './free-port.ts';
import type { PublishedPort } from './port-spec.ts';

/** Sockets bound to ports of this host, from the search for a port until another process holds it. */
export interface PortSockets {
  /**
   * Binds a port, and keeps it: undefined if a program of this host uses it.
   *
   * @throws INVALID for an address that this host does not have; DENIED; EXHAUSTED without descriptors
   */
  readonly tryPort: TryPort;
  /**
   * The sockets of these ports; TCP sockets listen from now on. SCTP ports have none: for a socket, the kernel would
   * load a module that few hosts use, and some forbid.
   *
   * @throws CONFLICT with Docker's text for a port on which another program has begun to listen since it was bound
   */
  listen(ports: readonly PublishedPort[]): readonly number[];
  /** Closes all. Copies in another process stay open there. */
  close(): void;
}

export function openPortSockets(): PortSockets {
  const bound = new Map<string, number>();
  return {
    tryPort: async (endpoint) => {
      const { hostIp: address, port: asked, protocol } = endpoint;
      if (protocol === 'sctp') return asked === 0 ? undefined : asked;
      try {
        const { fd, port } = bindPort({ protocol, address, port: asked });
        bound.set(keyOf({ ...endpoint, hostPort: port }), fd);
        return port;
      } catch (error) {
        if (errnoOf(error) === 'EADDRINUSE') return undefined;
        throw bindError({ ...endpoint, hostPort: asked }, error);
      }
    },
    listen: (ports) =>
      ports.flatMap((port) => {
        const fd = bound.get(keyOf(port));
        if (fd === undefined) return [];
        try {
          if (port.protocol === 'tcp') listenOn(fd);
        } catch (error) {
          throw bindError(port, error);
        }
        return [fd];
      }),
    close: () => {
      for (const fd of bound.values()) closeSync(fd);
      bound.clear();
    },
  };
}

type HostEndpoint = Omit<PublishedPort, 'containerPort'>;

const keyOf = ({ hostIp, hostPort, protocol }: HostEndpoint): string => `${hostIp}:${hostPort}/${protocol}`;

/**
 * Docker's error for a failed bind(2) or listen(2). A missing permission is DENIED, not INVALID: `run` would take the
 * latter for a program that must not be executed.
 */
export function bindError(endpoint: HostEndpoint, error: unknown): HealthctlError {
  const errno = errnoOf(error) ?? '';
  if (errno === 'EADDRINUSE') return portInUse(endpoint, error);
  const reason = errno === 'EADDRNOTAVAIL' ? 'cannot assign requested address' : fileReasonOf(error);
  const message = `failed to bind host port ${keyOf(endpoint)}: ${reason}`;
  if (errno === 'EACCES' || errno === 'EPERM')
    return new HealthctlError('DENIED', message, {
      cause: error,
      hint: 'a port below 1024 needs the capability CAP_NET_BIND_SERVICE; "healthctl daemon install" gives it to the unit of the monitor',
    });
  if (['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'].includes(errno))
    return new HealthctlError('EXHAUSTED', message, {
      cause: error,
      ...(errno === 'EMFILE' ? { hint: 'each published port takes a descriptor: raise the limit, "ulimit -n"' } : {}),
    });
  return new HealthctlError('INVALID', message, { cause: error });
}
