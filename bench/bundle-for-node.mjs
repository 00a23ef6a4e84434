// Bundles TypeScript entries of a benchmark for Node, into the folder .vite beside them.
import { join } from 'node:path';
import { build } from 'vite';

/** The root of the project. */
export const root = join(import.meta.dirname, '..');

/** Settings that all bundles have in common. */
export const common = { root, configFile: false, publicDir: false, logLevel: 'error' };

/** Names of the bundled files: those of `input`. */
export const output = { entryFileNames: '[name].js', chunkFileNames: '[name].js' };

/**
 * Bundles entries. Not into node_modules, which `npm ci` deletes, but next to it, so that imports resolve.
 *
 * @param {string} folder folder of the benchmark
 * @param {Record<string, string>} input file of each entry in `folder`, by the name of its bundle
 * @param {import('vite').Plugin[]} plugins
 * @returns {Promise<string>} folder of the bundles
 */
export async function bundleForNode(folder, input, plugins = []) {
  const outDir = join(folder, '.vite');
  const entries = Object.entries(input).map(([name, file]) => [name, join(folder, file)]);
  await build({
    ...common,
    plugins,
    build: {
      ssr: true,
      target: 'es2022',
      minify: false,
      outDir,
      emptyOutDir: true,
      // Texts that the build of the package makes: no benchmark loads the files that import them.
      rolldownOptions: { input: Object.fromEntries(entries), output, external: /^virtual:/ },
    },
  });
  return outDir;
}
