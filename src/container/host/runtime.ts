import type { RuncOptions } from '../../containerd/runc-options.ts';
import { findRuntime } from './host-facts.ts';

const DEFAULT_SHIM = 'io.containerd.runc.v2';

/** The shim, and its options if it should not use its default program. */
export interface RuntimeChoice {
  readonly shim: string;
  readonly options: RuncOptions | undefined;
}

/**
 * `--runtime`: absent or `runc` is the shim's default; a name of the form `io.containerd.*` is a shim; anything else a
 * program.
 */
export function chooseRuntime(name: string | undefined, path: string): RuntimeChoice {
  if (name === undefined || name === '' || name === 'runc') return { shim: DEFAULT_SHIM, options: undefined };
  if (name.startsWith('io.containerd.')) return { shim: name, options: undefined };
  return { shim: DEFAULT_SHIM, options: runcOptions(findRuntime(name, path)) };
}

export function runcOptions(binaryName: string): RuncOptions {
  return {
    binaryName,
    noPivotRoot: false,
    noNewKeyring: false,
    shimCgroup: '',
    ioUid: 0,
    ioGid: 0,
    root: '',
    systemdCgroup: false,
  };
}
