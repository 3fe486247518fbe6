import { HealthctlError } from '../lib/errors.ts';
import { cleanPath, isAbsolute } from './paths.ts';
import type { Device, DeviceRule } from './types.ts';

/** `--device`: a device of the host, or a directory of them, in the container. */
export interface DeviceRequest {
  readonly host: string;
  readonly container: string;
  /** Of `r`, `w` and `m`. */
  readonly access: string;
}

/** A device that exists on the host, with its settings for the container. */
export interface GivenDevice {
  readonly device: Device;
  readonly access: string;
}

/** `HOST[:CONTAINER][:rwm]`. Throws USAGE with Docker's texts (docker/cli cli/command/container/opts.go). */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(':');
  const [host = '', second, third] = parts;
  if (parts.length > 3 || host === '') throw usage(`bad format for path: ${text}`);
  if (third !== undefined && !isAccess(third)) throw usage(`bad mode specified: ${third}`);
  const isMode = third === undefined && second !== undefined && isAccess(second);
  const container = second === undefined || isMode ? host : second;
  if (!isAbsolute(container)) throw usage(`${container} is not an absolute path`);
  const access = third ?? (isMode ? second : 'rwm');
  return { host, container: cleanPath(container), access };
}

/** `r`, `w` and `m`, each once at most. */
function isAccess(text: string): boolean {
  return /^[rwm]+$/.test(text) && new Set(text).size === text.length;
}

/** `--device-cgroup-rule 'c 1:3 rwm'`. Throws USAGE with Docker's text. */
export function parseDeviceRule(text: string): DeviceRule {
  const [, type, major, minor, access] = /^([acb]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (type === undefined || access === undefined) throw usage(`invalid device cgroup format '${text}'`);
  return { allow: true, type, ...numberOf('major', major), ...numberOf('minor', minor), access };
}

function numberOf<K extends string>(key: K, text: string | undefined): { readonly [P in K]?: number } {
  return (text === undefined || text === '*' ? {} : { [key]: Number(text) }) as { readonly [P in K]?: number };
}

/** The rules that let a container open its devices. */
export function rulesOfDevices(devices: readonly GivenDevice[]): readonly DeviceRule[] {
  return devices.map(({ device: { type, major, minor }, access }) => ({
    allow: true,
    type,
    ...(major === undefined ? {} : { major }),
    ...(minor === undefined ? {} : { minor }),
    access,
  }));
}

function usage(message: string): HealthctlError {
  return new HealthctlError('USAGE', message);
}
