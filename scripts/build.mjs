// Builds dist/healthctl.cjs, one file with everything but native code, and dist/healthctl.cache, V8's compiled form of it.
//   node scripts/build.mjs [--out dist] [--no-cache]
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'dist') }, 'no-cache': { type: 'boolean' } },
});
const bundle = join(resolve(values.out), 'healthctl.cjs');
const cache = join(resolve(values.out), 'healthctl.cache');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  write: false,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // bin/healthctl runs the file as a vm.Script, which knows no import() of its own: what is not bundled is required.
  supported: { 'dynamic-import': false },
  external: ['koffi'],
  minifyWhitespace: true,
  minifySyntax: true,
  // ASCII, because bin/healthctl reads the file as latin1: V8 keeps it in half the memory.
  charset: 'ascii',
  legalComments: 'none',
  define: { HEALTHCTL_VERSION: JSON.stringify(version), HEALTHCTL_COMMIT: JSON.stringify(commit()) },
  logLevel: 'warning',
  // src/system/libc.ts asks for whichever of __filename and import.meta.url there is.
  logOverride: { 'empty-import-meta': 'silent' },
});
mkdirSync(values.out, { recursive: true });
// Renamed into place: somebody may be starting the program.
writeFileSync(`${bundle}.new`, outputFiles[0].contents);
rmSync(cache, { force: true });
renameSync(`${bundle}.new`, bundle);
console.log(`healthctl.cjs    ${size(bundle)}`);
if (!values['no-cache']) {
  // What the commands print on the way is of no use; run the script alone to see it.
  execFileSync(process.execPath, [join(root, 'scripts/make-cache.mjs'), bundle], { stdio: 'ignore' });
  console.log(`healthctl.cache  ${size(cache)}`);
}

/** The short hash of the commit that is built; `dev` outside a repository or with uncommitted changes. */
function commit() {
  const git = (...args) =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return changed ? 'dev' : git('rev-parse', '--short', 'HEAD');
  } catch {
    return 'dev';
  }
}

function size(path) {
  return `${Math.round(statSync(path).size / 1024)} KiB`;
}
