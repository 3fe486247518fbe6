import type { PageError, RangeName } from '../wire.ts';

/** The server wants a token, or another one. */
export class TokenNeeded extends Error {}

/**
 * The token stays in this tab until it is closed, and is sent to this origin alone. A cookie would be sent to all other
 * ports of the host too, and a browser would add it to requests that another site makes.
 */
const STORED = 'healthctl-token';

export const keepToken = (token: string): void => sessionStorage.setItem(STORED, token);

/** The server's answer, by a path below `data/`. Its form is that of wire.ts: both are of one build. */
export async function getData<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await ask(path, signal);
  return (await response.json()) as T;
}

/** Throws TokenNeeded; an error with a text for the user for all other answers but success. */
export async function ask(path: string, signal: AbortSignal): Promise<Response> {
  const token = sessionStorage.getItem(STORED);
  const response = await fetch(`data/${path}`, {
    ...{ signal, credentials: 'omit', cache: 'no-store' },
    ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  if (response.ok) return response;
  const text = await errorTextOf(response);
  if (response.status !== 401) throw new Error(text);
  sessionStorage.removeItem(STORED);
  throw new TokenNeeded(token === null ? '' : text);
}

async function errorTextOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as PageError).message;
  } catch {
    return `the monitor answered with ${response.status}`;
  }
}

export const overviewPath = (range: RangeName): string => `containers?range=${range}`;
export const containerPath = (key: string, rest = ''): string => `containers/${encodeURIComponent(key)}${rest}`;
