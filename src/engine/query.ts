import { quote } from '../go/quote.ts';
import { EngineError } from './errors.ts';

/** The query of a request. An unknown key is ignored: some clients send the whole body as query too. */
export interface Query {
  /** The first value; empty without one. */
  text(key: string): string;
  has(key: string): boolean;
  all(key: string): readonly string[];
  /** Docker's booleans (moby: daemon/server/httputils/form.go): all but an empty text, `0`, `no`, `false` and `none`. */
  flag(key: string): boolean;
  /** Undefined without a value. Throws 500 with Go's text for one that is no integer, as Docker does. */
  int(key: string): number | undefined;
}

const FALSE = ['', '0', 'no', 'false', 'none'];

export function queryOf(search: string): Query {
  const parameters = new URLSearchParams(search);
  const text = (key: string): string => parameters.get(key) ?? '';
  return {
    text,
    has: (key) => parameters.has(key),
    all: (key) => parameters.getAll(key),
    flag: (key) => !FALSE.includes(text(key).trim().toLowerCase()),
    int: (key) => {
      const given = text(key);
      if (given === '') return undefined;
      if (/^[+-]?\d{1,15}$/.test(given)) return Number(given);
      throw new EngineError(500, `strconv.Atoi: parsing ${quote(given)}: invalid syntax`);
    },
  };
}
