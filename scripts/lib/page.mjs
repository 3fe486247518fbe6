import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const CLIENT = 'src/page/client';

/**
 * Builds the web page, and the thread that reads the history for it.
 *
 * @param {string} root of the repository
 * @param {string} out the directory of the bundle
 * @returns {Promise<string[]>} the files that are bundled into the page, relative to the root
 */
export async function buildPage(root, out) {
  // Built beside its place and renamed, because a monitor may be reading it.
  const [made, page] = [join(out, 'page.new'), join(out, 'page')];
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { page: `${CLIENT}/main.tsx`, style: `${CLIENT}/page.css` },
    outdir: made,
    metafile: true,
    bundle: true,
    // The plotting library is a file of its own, which only the view of a container loads.
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    target: ['chrome120', 'firefox121', 'safari17.2'],
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
  });
  renameSync(join(made, 'style.css'), join(made, 'page.css'));
  for (const file of ['index.html', 'icon.svg']) copyFileSync(join(root, CLIENT, file), join(made, file));
  rmSync(page, { recursive: true, force: true });
  renameSync(made, page);
  await buildThread(root, out);
  return Object.keys(metafile.inputs);
}

async function buildThread(root, out) {
  const file = join(out, 'page-history.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/page/history-worker.ts'],
    outfile: `${file}.new`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['koffi'],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  renameSync(`${file}.new`, file);
}
