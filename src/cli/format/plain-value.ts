import type { GoValue } from '../../go/template/template.ts';

/** JSON data for templates: every object is a map. Values that JSON does not have are omitted. */
export function plainValue(value: unknown): GoValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value;
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(plainValue);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
    }
    default:
      return undefined;
  }
}
