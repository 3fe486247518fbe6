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
 * Turns each TypeScript file into a CommonJS module, in a function that runs at its first `require`. esbuild by itself
 * would move the functions of all modules into one scope; V8 would then create thousands of function objects at every
 * start, whatever the command needs.
 */
export const commonJs = {
  name: 'commonjs',
  setup(build) {
    // A namespace of its own: in esbuild's file namespace, package.json would make these files ES modules.
    const namespace = 'commonjs';
    build.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path), namespace }));
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const { outputText, sourceMapText } = ts.transpileModule(source, { fileName: path, compilerOptions });
      // CommonJS has no import.meta. src/system/libc.ts uses __filename or import.meta.url, whichever exists.
      const code = outputText.replaceAll('import.meta.url', 'undefined').replace(/\n\/\/# sourceMappingURL=.*$/, '');
      const map = Buffer.from(JSON.stringify({ ...JSON.parse(sourceMapText), sources: [path] })).toString('base64');
      const contents = `${code}\n//# sourceMappingURL=data:application/json;base64,${map}`;
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
  },
};
