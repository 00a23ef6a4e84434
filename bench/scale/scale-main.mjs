// npm run bench:scale: bundles the benchmark and runs it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode } from '../bundle-for-node.mjs';

const out = await bundleForNode(import.meta.dirname, { scale: 'scale-bench.ts' });
const { main } = await import(pathToFileURL(join(out, 'scale.js')).href);
process.exit(await main(process.argv.slice(2)));
