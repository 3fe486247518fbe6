import type { Any } from './gen/google/protobuf/any.ts';

/** typeUrl of a runtime spec held as JSON in an Any (containerd: typeurl registrations of opencontainers/runtime-spec). */
export const SPEC_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
/** The same of its `process` part, which Tasks.Exec takes. */
export const PROCESS_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

export function anyFromJson(typeUrl: string, value: unknown): Any {
  return { typeUrl, value: Buffer.from(JSON.stringify(value)) };
}

/** The parsed JSON of an Any; undefined when it is absent or holds no JSON. */
export function jsonFromAny(any: Any | undefined): unknown {
  if (!any || any.value.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(any.value).toString('utf8'));
  } catch {
    return undefined;
  }
}
