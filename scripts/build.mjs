// Builds dist/healthctl.cjs, one file with everything but native code, and dist/*.cache, V8's compiled forms of it; and THIRD-PARTY-NOTICES,
// the licences of what is bundled; and dist/man, the man pages.
//   node scripts/build.mjs [--out dist] [--no-cache]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { commonJs } from './lib/commonjs.mjs';
import { noticesOf } from './lib/notices.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'dist') }, 'no-cache': { type: 'boolean' } },
});
const bundle = join(resolve(values.out), 'healthctl.cjs');
const caches = () =>
  readdirSync(resolve(values.out))
    .filter((name) => name.endsWith('.cache'))
    .map((name) => join(resolve(values.out), name));
const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // bin/healthctl runs the file as a vm.Script, which knows no import() of its own: what is not bundled is required.
  supported: { 'dynamic-import': false },
  external: ['koffi'],
  minify: true,
  // For --debug alone (src/cli/trace.ts): nothing else reads it.
  sourcemap: 'external',
  sourcesContent: false,
  outfile: bundle,
  // ASCII, because bin/healthctl reads the file as latin1: V8 keeps it in half the memory.
  charset: 'ascii',
  legalComments: 'none',
  define: { HEALTHCTL_VERSION: JSON.stringify(version), HEALTHCTL_COMMIT: JSON.stringify(commit()) },
  // A function, as bin/healthctl calls it: put around it there, all of it would be copied at every start.
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
  logLevel: 'warning',
  plugins: [commonJs],
});
mkdirSync(values.out, { recursive: true });
// Renamed into place: somebody may be starting the program.
const [code, map] = ['.cjs', '.cjs.map'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)));
// bin/healthctl reads the last line: V8 takes a compiled form of any source that is as long as the one it was made of, so the source is told
// by its hash; and the packed forms are for one V8 alone.
const hash = createHash('sha256').update(code.contents).digest('hex').slice(0, 16);
writeFileSync(`${bundle}.new`, `${code.text.trimEnd()}\n// ${hash} ${process.versions.v8}-${process.arch}\n`);
writeFileSync(`${bundle}.map`, inRepository(map.text));
const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
const notices = join(resolve(values.out) === join(root, 'dist') ? root : resolve(values.out), 'THIRD-PARTY-NOTICES');
writeFileSync(notices, noticesOf({ root, bundled, installed: Object.keys(dependencies) }));
for (const cache of caches()) rmSync(cache);
renameSync(`${bundle}.new`, bundle);
tell(bundle);
execFileSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/man.ts'), join(resolve(values.out), 'man')], {
  cwd: root,
  stdio: 'inherit',
});
if (!values['no-cache']) {
  // What the commands print on the way is of no use; run the script alone to see it.
  execFileSync(process.execPath, [join(root, 'scripts/make-cache.mjs'), bundle], { stdio: 'ignore' });
  for (const cache of caches()) tell(cache);
}

/** A source map whose sources are named from the root of the repository. */
function inRepository(text) {
  const map = JSON.parse(text);
  const sources = map.sources.map((source) => relative(root, resolve(values.out, source.replace(/^commonjs:/, ''))));
  return JSON.stringify({ ...map, sources });
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

function tell(path) {
  console.log(`${basename(path).padEnd(28)} ${Math.round(statSync(path).size / 1024)} KiB`);
}
