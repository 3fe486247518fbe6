// Builds dist/healthctl.cjs, one file with everything but native code, dist/*.cache, V8's compiled forms of it,
// dist/telemetry.cjs, which it loads for OpenTelemetry, THIRD-PARTY-NOTICES, the licences of what is bundled, dist/man,
// the man pages, dist/page, the web page, and dist/page-history.cjs, the thread that reads the history for it.
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
import { buildPage } from './lib/page.mjs';

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

/** OpenTelemetry's SDK has a bundle of its own: only a monitor that is to send telemetry reads it. */
const TELEMETRY = { entry: 'src/daemon/otel/exporters.ts', name: 'telemetry.cjs' };
const apart = {
  name: 'apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/exporters\.ts$/ }, ({ path, resolveDir, kind }) =>
      kind !== 'entry-point' && resolve(resolveDir, path) === join(root, TELEMETRY.entry)
        ? { path: `./${TELEMETRY.name}`, external: true }
        : undefined,
    ),
};
const common = {
  absWorkingDir: root,
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // bin/healthctl runs the file as a vm.Script, which has no import(): modules outside the bundle are loaded with
  // require.
  supported: { 'dynamic-import': false },
  external: ['koffi'],
  minify: true,
  // ASCII, because bin/healthctl reads the file as latin1: V8 stores such text in half the memory.
  charset: 'ascii',
  legalComments: 'none',
  // For --debug (src/cli/trace.ts), and for the test of THIRD-PARTY-NOTICES.
  sourcemap: 'external',
  sourcesContent: false,
  define: { HEALTHCTL_VERSION: JSON.stringify(version), HEALTHCTL_COMMIT: JSON.stringify(commit()) },
  logLevel: 'warning',
  plugins: [apart, commonJs],
};
const { outputFiles, metafile } = await build({
  ...common,
  entryPoints: ['src/main.ts'],
  outfile: bundle,
  // A function, as bin/healthctl calls it. If bin/healthctl added this line, it would copy the whole text at every
  // start.
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
});
const telemetryFile = join(resolve(values.out), TELEMETRY.name);
const telemetry = await build({ ...common, entryPoints: [TELEMETRY.entry], outfile: telemetryFile });
mkdirSync(values.out, { recursive: true });
// Renamed into place, because the program may be started at this moment.
const [code, map] = ['.cjs', '.cjs.map'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)));
// bin/healthctl reads the last line. V8 accepts a compiled form for any source of the same length, so the hash
// identifies the source. And a packed form works with one version of V8 only.
const hash = createHash('sha256').update(code.contents).digest('hex').slice(0, 16);
writeFileSync(`${bundle}.new`, `${code.text.trimEnd()}\n// ${hash} ${process.versions.v8}-${process.arch}\n`);
writeFileSync(`${bundle}.map`, inRepository(map.text));
const ofPage = await buildPage(root, resolve(values.out));
const [telemetryCode, telemetryMap] = ['.cjs', '.cjs.map'].map((end) =>
  telemetry.outputFiles.find(({ path }) => path.endsWith(end)),
);
writeFileSync(`${telemetryFile}.new`, telemetryCode.contents);
writeFileSync(`${telemetryFile}.map`, inRepository(telemetryMap.text));
renameSync(`${telemetryFile}.new`, telemetryFile);
const bundled = [metafile, telemetry.metafile].flatMap(({ outputs }) =>
  Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)),
);
const notices = join(resolve(values.out) === join(root, 'dist') ? root : resolve(values.out), 'THIRD-PARTY-NOTICES');
writeFileSync(notices, noticesOf({ root, bundled, ofPage, installed: Object.keys(dependencies) }));
for (const cache of caches()) rmSync(cache);
renameSync(`${bundle}.new`, bundle);
printSize(bundle);
printSize(telemetryFile);
for (const file of readdirSync(join(resolve(values.out), 'page'))) printSize(join(resolve(values.out), 'page', file));
execFileSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/man.ts'), join(resolve(values.out), 'man')], {
  cwd: root,
  stdio: 'inherit',
});
if (!values['no-cache']) {
  // The output of the commands is of no use here; run the script alone to see it.
  execFileSync(process.execPath, [join(root, 'scripts/make-cache.mjs'), bundle], { stdio: 'ignore' });
  for (const cache of caches()) printSize(cache);
}

/** A source map with the paths of its sources relative to the root of the repository. */
function inRepository(text) {
  const map = JSON.parse(text);
  const sources = map.sources.map((source) => relative(root, resolve(values.out, source.replace(/^commonjs:/, ''))));
  return JSON.stringify({ ...map, sources });
}

/** The short hash of the built commit; `dev` outside a repository or with uncommitted changes. */
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

function printSize(path) {
  console.log(`${basename(path).padEnd(28)} ${Math.round(statSync(path).size / 1024)} KiB`);
}
