// `npm run package:deb`: packs the output of `npm run build` as a Debian package, with dpkg-deb alone.
//   node scripts/deb.mjs [--arch amd64|arm64] [--out DIR] [--revision 1]
//
// Two builds of one commit give the same bytes: all files have the time $SOURCE_DATE_EPOCH, or that of the commit. So
// the package has none of V8's compiled forms (dist/*.cache), which differ between builds and work with one Node.js
// only; the program writes its own.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import {
  ARCHITECTURES,
  CONFFILES,
  changelogText,
  controlText,
  copyrightText,
  LINTIAN_OVERRIDES,
  maintainerOf,
  SCRIPTS,
} from './deb/control.mjs';
import { copyDependencies } from './deb/dependencies.mjs';
import { sourceDate } from './lib/source-date.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: ARCHITECTURES[process.arch] ?? '' },
    out: { type: 'string', default: join(root, 'dist') },
    revision: { type: 'string', default: '1' },
  },
});
const nodeArch = Object.keys(ARCHITECTURES).find((name) => ARCHITECTURES[name] === values.arch);
if (nodeArch === undefined) throw new Error(`--arch must be one of ${Object.values(ARCHITECTURES).join(', ')}`);
const bundle = join(root, 'dist/healthctl.cjs');
if (!existsSync(bundle)) throw new Error(`${bundle} is missing: npm run build`);

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const version = `${manifest.version}-${values.revision}`;
const maintainer = maintainerOf(process.env);
const seconds = sourceDate();
const work = mkdtempSync(join(tmpdir(), 'healthctl-deb-'));
try {
  const tree = join(work, 'tree');
  mkdirSync(tree);
  copyProgram(tree);
  copyHostFiles(tree);
  copyManPages(tree);
  copyDocuments(tree);
  writeControl(tree);
  touchAll(tree);
  const file = join(resolve(values.out), `healthctl_${version}_${values.arch}.deb`);
  mkdirSync(dirname(file), { recursive: true });
  // One thread: how xz divides its work among threads would change the file.
  const packing = ['--root-owner-group', '-Zxz', '--threads-max=1'];
  execFileSync('dpkg-deb', [...packing, '--build', tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds), LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(`${file}  ${Math.round(lstatSync(file).size / 1024)} KiB`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The program as npm installs it, without what only the building machine can use. */
function copyProgram(tree) {
  const home = join(tree, 'usr/lib/healthctl');
  for (const file of [
    'bin/healthctl',
    'bin/kept-cache.cjs',
    'bin/package.json',
    ...readdirSync(join(root, 'dist'))
      .filter((name) => /\.cjs(\.map)?$/.test(name))
      .map((name) => `dist/${name}`),
    ...readdirSync(join(root, 'dist/page')).map((name) => `dist/page/${name}`),
  ])
    put(home, file, readFileSync(join(root, file)));
  put(home, 'package.json', `${JSON.stringify({ name: 'healthctl', version: manifest.version, type: 'module' })}\n`);
  chmodSync(join(home, 'bin/healthctl'), 0o755);
  copyDependencies({ root, home, names: Object.keys(manifest.dependencies), arch: nodeArch, work });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/healthctl/bin/healthctl', join(tree, 'usr/bin/healthctl'));
}

function copyHostFiles(tree) {
  execFileSync(process.execPath, ['--import', 'tsx', join(root, 'scripts/deb/host-files.ts'), tree], { cwd: root });
}

/** Other names of a command are links here, as in Debian. */
function copyManPages(tree) {
  const from = join(root, 'dist/man/man1');
  const to = join(tree, 'usr/share/man/man1');
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const text = readFileSync(join(from, name), 'utf8');
    const [, target] = /^\.so man1\/(.*)\n$/.exec(text) ?? [];
    if (target === undefined) writeFileSync(join(to, `${name}.gz`), gzip(text));
    else symlinkSync(`${target}.gz`, join(to, `${name}.gz`));
  }
}

function copyDocuments(tree) {
  const doc = join(tree, 'usr/share/doc/healthctl');
  put(doc, 'copyright', copyrightText(readFileSync(join(root, 'THIRD-PARTY-NOTICES'), 'utf8')));
  put(doc, 'changelog.Debian.gz', gzip(changelogText({ version, maintainer, seconds })));
  put(doc, 'changelog.gz', gzip(readFileSync(join(root, 'CHANGELOG.md'))));
  put(tree, 'usr/share/lintian/overrides/healthctl', LINTIAN_OVERRIDES);
  put(doc, 'README.md', readFileSync(join(root, 'README.md')));
  for (const name of readdirSync(join(root, 'docs')).filter((one) => one.endsWith('.md')))
    put(doc, join('docs', name), readFileSync(join(root, 'docs', name)));
}

function writeControl(tree) {
  const files = filesIn(tree).filter((path) => lstatSync(join(tree, path)).isFile());
  const sums = files
    .filter((path) => !path.startsWith('etc/'))
    .map(
      (path) =>
        `${createHash('md5')
          .update(readFileSync(join(tree, path)))
          .digest('hex')}  ${path}\n`,
    );
  const bytes = files.reduce((sum, path) => sum + lstatSync(join(tree, path)).size, 0);
  const control = join(tree, 'DEBIAN');
  const installedKiB = Math.ceil(bytes / 1024);
  put(control, 'control', controlText({ version, architecture: values.arch, maintainer, installedKiB }));
  put(control, 'md5sums', sums.join(''));
  put(control, 'conffiles', CONFFILES);
  for (const [name, text] of Object.entries(SCRIPTS)) {
    put(control, name, text);
    chmodSync(join(control, name), 0o755);
  }
}

/** Sets modes that do not depend on the builder, and one time for all files. */
function touchAll(tree) {
  for (const path of [...filesIn(tree), '.'].map((one) => join(tree, one)).reverse()) {
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
    lutimesSync(path, seconds, seconds);
  }
}

/** Everything below a directory, parents first. */
function filesIn(directory, below = '') {
  return readdirSync(join(directory, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(below, entry.name);
      return entry.isDirectory() ? [path, ...filesIn(directory, path)] : [path];
    });
}

function put(directory, name, content) {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function gzip(content) {
  return gzipSync(content, { level: 9 });
}
