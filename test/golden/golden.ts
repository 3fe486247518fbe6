import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The text in test/golden. With UPDATE_GOLDEN set, first writes `actual` there. */
export function golden(name: string, actual: string): string {
  const path = fileURLToPath(new URL(name, import.meta.url));
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Error(`test/golden/${name} is missing: run the test with UPDATE_GOLDEN=1, and review what it writes`);
  }
}
