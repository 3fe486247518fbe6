import { HealthctlError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { isObject, type JsonObject } from '../lib/shape.ts';
import { kindOf } from './go-struct.ts';
import { endOfJsonValue } from './json-syntax.ts';

/** The head of a request, as far as it says what its body is. */
export interface BodyHead {
  readonly contentType: string | undefined;
  /** Whether the head announces a body. */
  readonly hasBody: boolean;
}

/**
 * Throws INVALID with Docker's text for a body of another type (moby: daemon/server/httputils/httputils.go). No body
 * needs no type.
 */
export function checkJsonType({ contentType = '', hasBody }: BodyHead): void {
  if (contentType === '' && !hasBody) return;
  const [type = ''] = contentType.split(';');
  if (type.trim().toLowerCase() === 'application/json') return;
  throw new HealthctlError('INVALID', `unsupported Content-Type header (${contentType}): must be 'application/json'`);
}

/**
 * One JSON object, as Go's decoder reads it. Throws INVALID in Docker's words for no object, for a text that ends too
 * early, and for more than one document.
 *
 * @param type Go's, in the error for another value
 */
export function parseJsonBody(text: string, type?: string): JsonObject {
  const [start, end] = firstValueOf(text);
  const value = decodeJson(text.slice(start, end));
  if (/[^ \t\r\n]/.test(text.slice(end))) throw new HealthctlError('INVALID', 'unexpected content after JSON');
  if (isObject(value)) return value;
  if (value === null) return {};
  throw refusal(`json: cannot unmarshal ${kindOf(value)} into Go value${type === undefined ? '' : ` of type ${type}`}`);
}

const refusal = (reason: string): HealthctlError => new HealthctlError('INVALID', `invalid JSON: ${reason}`);

/** Where the first value of a text begins and ends. Throws INVALID if there is none. */
function firstValueOf(text: string): readonly [number, number] {
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) throw refusal('got EOF while reading request body');
  return [start, endOfJsonValue(text, start)];
}
