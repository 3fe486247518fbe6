import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { HealthctlError, messageOf } from '../lib/errors.ts';
import { readPlainFile } from '../system/plain-file.ts';

/** A static file of the page. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the page by path. Throws CONFIG if they are missing. */
export function readAssets(dir: string): ReadonlyMap<string, Asset> {
  try {
    const files = readdirSync(dir).flatMap((name): readonly (readonly [string, Asset])[] => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      const bytes = readPlainFile(join(dir, name));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`;
      return [[name === 'index.html' ? '/' : `/${name}`, { type, bytes, etag }]];
    });
    const assets = new Map(files);
    if (assets.has('/')) return assets;
  } catch (error) {
    throw new HealthctlError('CONFIG', `the files of the page cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new HealthctlError('CONFIG', `${dir} has no files of the page: install healthctl again`);
}
