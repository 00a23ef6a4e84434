// npm run bench:memory: a large translation memory in the command line and in the page of documents: time, and the most
// memory of the process. `npm run build` first. Options: --size BYTES (1G), --folder DIR (keeps the memory for later
// runs), --only translate, train or page.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode } from '../bundle-for-node.mjs';

const out = await bundleForNode(import.meta.dirname, { memory: 'measure-memory.ts' });
const { main } = await import(pathToFileURL(join(out, 'memory.js')).href);
process.exitCode = await main(process.argv.slice(2));
