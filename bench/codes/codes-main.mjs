// npm run bench:codes: bundles the measurement and runs it with the library of dist/.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode } from '../bundle-for-node.mjs';

const out = await bundleForNode(import.meta.dirname, { measure: 'measure-codes.ts' });
const { main } = await import(pathToFileURL(join(out, 'measure.js')).href);
const { loadModel } = await import('../../dist/heddle.node.js');
process.exitCode = await main(process.argv.slice(2), loadModel);
