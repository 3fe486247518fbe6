import type { UrlHookSettings } from '../../lib/settings.ts';

/** Shorter texts are no secrets, and would make an answer unreadable. */
const MIN_SECRET_LENGTH = 6;

/**
 * Texts that are removed from a server's answer before it is logged: the values of headers, and path, query and
 * credentials of the URL, which is often all that protects a webhook.
 */
export function secretsOf({ url, headers }: Pick<UrlHookSettings, 'url' | 'headers'>): readonly string[] {
  const { pathname, search, username, password } = new URL(url);
  const words = [pathname.slice(1), ...pathname.split('/'), search.slice(1), username, password];
  const values = Object.values(headers).flatMap((value) => [value, value.split(' ').at(-1) ?? '']);
  return [...words, decodeURIComponent(username), decodeURIComponent(password), ...values]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
}

export const redact = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);

/** The part of a URL that is no secret: `https://hooks.slack.com`. */
export const shownUrl = (url: string): string => new URL(url).origin;
