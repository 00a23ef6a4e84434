// npm run bench:isa: bundles the report and the process that compiles kernels, then runs the report.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode } from '../bundle-for-node.mjs';

const out = await bundleForNode(import.meta.dirname, {
  report: 'isa-report.ts',
  compile: 'compile-kernels.ts',
  recorded: 'compile-recorded.ts',
});
const { main } = await import(pathToFileURL(join(out, 'report.js')).href);
process.exitCode = await main(process.argv.slice(2));
