import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The subset of JSON Schema that docs/openapi.json uses. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

export interface Answer {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Parameter {
  readonly $ref?: string;
  readonly name?: string;
  readonly in?: string;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  /** By path, then by method in lower case. `parameters` of a path belong to all its methods. */
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, Operation>> & {
        readonly parameters?: readonly Parameter[];
        readonly servers?: readonly { readonly url: string }[];
      }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const openApiText = readFileSync(fileURLToPath(new URL('../docs/openapi.json', import.meta.url)), 'utf8');
export const openApi = JSON.parse(openApiText) as OpenApi;

/** The target of a `$ref` in the document. Throws if it does not exist. */
export function resolveRef<T extends { readonly $ref?: string }>(thing: T): T {
  if (thing.$ref === undefined) return thing;
  let found: unknown = openApi;
  for (const word of thing.$ref.replace(/^#\//, '').split('/'))
    found = (found as Readonly<Record<string, unknown>>)[word];
  if (found === undefined) throw new Error(`${thing.$ref} does not exist`);
  return resolveRef(found as T);
}

/**
 * The places at which a value violates a schema; empty if it is valid. An unlisted key is an error if the schema closes
 * the object.
 */
export function mismatches(given: Schema, value: unknown, at = '$'): readonly string[] {
  const schema = resolveRef(given);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices)
    return choices.some((choice) => mismatches(choice, value).length === 0)
      ? []
      : [
          `${at} is none of ${choices.length}: ${choices.flatMap((choice) => mismatches(choice, value, at)).join('; ')}`,
        ];
  if ('const' in schema && value !== schema.const) return [`${at} is not ${JSON.stringify(schema.const)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is none of ${JSON.stringify(schema.enum)}`];
  if (schema.type !== undefined && !isOfType(schema.type, value)) return [`${at} is no ${schema.type}`];
  if (Array.isArray(value))
    return value.flatMap((item, index) => (schema.items ? mismatches(schema.items, item, `${at}[${index}]`) : []));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? []).filter((key) => !(key in value)).map((key) => `${at}.${key} is missing`);
  const wrong = Object.entries(value).flatMap(([key, member]) => {
    const known = schema.properties?.[key] ?? schema.additionalProperties;
    if (known === undefined || known === true) return [];
    return known === false ? [`${at}.${key} is not described`] : mismatches(known, member, `${at}.${key}`);
  });
  return [...missing, ...wrong];
}

function isOfType(type: NonNullable<Schema['type']>, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
  }
}
