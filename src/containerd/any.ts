import type { Any } from './gen/google/protobuf/any.ts';

/**
 * typeUrl of a runtime spec held as JSON in an Any (containerd: typeurl registrations of opencontainers/runtime-spec).
 */
export const SPEC_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
/** The type URL of its `process` part, which Tasks.Exec expects. */
export const PROCESS_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

/** The type URL of its `linux.resources`, which Tasks.Update expects. */
export const RESOURCES_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';

/** @param json a JSON text: 64-bit numbers of a runtime spec would not survive JavaScript's own parser */
export function anyFromJson(typeUrl: string, json: string): Any {
  return { typeUrl, value: Buffer.from(json) };
}

/** The text of an Any that holds JSON; undefined when it is absent. */
export function textFromAny(any: Any | undefined): string | undefined {
  return any && any.value.length > 0 ? Buffer.from(any.value).toString('utf8') : undefined;
}
