// npm run bench:codes: bundles the measurement and runs it with the library of dist/.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode, root } from '../bundle-for-node.mjs';

/** Code of the pages imports the library, which is that of dist/ here. */
const library = {
  name: 'library',
  enforce: 'pre',
  resolveId: (id) =>
    id.endsWith('/src/entries/heddle.ts')
      ? { id: pathToFileURL(join(root, 'dist/heddle.node.js')).href, external: true }
      : undefined,
};

const args = process.argv.slice(2);
if (args.includes('--rebuild')) {
  const { rebuild } = await import('./rebuild-model.mjs');
  rebuild(args);
  process.exit();
}
const out = await bundleForNode(import.meta.dirname, { measure: 'measure-codes.ts' }, [library]);
const { main } = await import(pathToFileURL(join(out, 'measure.js')).href);
const { loadModel } = await import('../../dist/heddle.node.js');
process.exitCode = await main(args, loadModel);
