/** The options of the runc shim and the type URL under which containerd knows them. */
export { Options as RuncOptions } from './gen/containerd/runc.ts';

export const RUNC_OPTIONS_TYPE_URL = 'containerd.runc.v1.Options';
