import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readCertificateFile } from '../../src/cli/flags/certificate-file.ts';
import { MAX_CERTIFICATES_BYTES } from '../../src/health/certificates.ts';
import { makeFifo } from '../../src/system/fifo.ts';
import { AUTHORITY, SIGNED } from '../../testbed/certificates.ts';

const directory = mkdtempSync(join(tmpdir(), 'healthctl-ca-'));
afterAll(() => rmSync(directory, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const read = (path: string) => readCertificateFile('--health-http-ca', path, AbortSignal.timeout(200));

test('reads a file with an authority and other content', async () => {
  expect(await read(file('ca.pem', `comment\n${AUTHORITY}${SIGNED.key}`))).toBe(AUTHORITY);
});

test('reads a pipe of a shell, and does not wait for one that nobody writes', async () => {
  const path = join(directory, 'fifo');
  makeFifo(path);
  await expect(read(path)).rejects.toMatchObject({ code: 'ABORTED' });
  const [content] = await Promise.all([read(path), writeFile(path, AUTHORITY)]);
  expect(content).toBe(AUTHORITY);
});

test('refuses a file without certificates', async () => {
  const none = join(directory, 'none');
  await expect(read(none)).rejects.toThrow(`open ${none}: no such file or directory`);
  await expect(read(directory)).rejects.toThrow('is a directory');
  const key = file('key.pem', SIGNED.key);
  await expect(read(key)).rejects.toThrow(
    `invalid argument "${key}" for "--health-http-ca" flag: there is no certificate in PEM`,
  );
  await expect(read(file('much.pem', 'x'.repeat(MAX_CERTIFICATES_BYTES + 1)))).rejects.toThrow('more than 65536 bytes');
  await expect(read('/dev/zero')).rejects.toMatchObject({ code: 'USAGE' });
});
