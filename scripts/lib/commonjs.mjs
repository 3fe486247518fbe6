import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

const compilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: false,
  removeComments: true,
  sourceMap: true,
};

/**
 * Makes a CommonJS module of each TypeScript file, in a function that runs at its first `require`. esbuild would lift the functions of all
 * modules into one scope, and V8 make an object for each of thousands of them at every start, whichever the command needs.
 */
export const commonJs = {
  name: 'commonjs',
  setup(build) {
    // A namespace, because in that of files package.json makes them ES modules.
    const namespace = 'commonjs';
    build.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path), namespace }));
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const { outputText, sourceMapText } = ts.transpileModule(source, { fileName: path, compilerOptions });
      // CommonJS knows no import.meta: src/system/libc.ts asks for whichever of __filename and import.meta.url there is.
      const code = outputText.replaceAll('import.meta.url', 'undefined').replace(/\n\/\/# sourceMappingURL=.*$/, '');
      const map = Buffer.from(JSON.stringify({ ...JSON.parse(sourceMapText), sources: [path] })).toString('base64');
      const contents = `${code}\n//# sourceMappingURL=data:application/json;base64,${map}`;
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
  },
};
