// npm run bench:table: writes the latest results of bench/results as a short table into docs/benchmarks.md, between
// the lines <!-- bench --> and <!-- /bench -->, square products between
// <!-- products --> and <!-- /products -->, times beside PyTorch between <!-- pytorch --> and <!-- /pytorch -->, and as full tables into bench/results/README.md. Reports of devices
// (bench/results/devices) are tables between <!-- devices --> and <!-- /devices -->, those of software adapters only in
// bench/results/README.md. The predictions for GPUs (bench/results/compilers) are a table in docs/devices.md
// between <!-- predictions --> and <!-- /predictions -->, beside what reports of devices have measured.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle-for-node.mjs';
import {
  firstUses,
  latest,
  origins,
  pytorchTable,
  readResults,
  section,
  squareProducts,
  summaryTable,
} from './result-tables.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, 'results');
const docs = join(here, '..', 'docs');

let results;
let devices;
let predictions;
try {
  results = latest(readResults(folder));
  const bundles = await bundleForNode(here, {
    devices: 'device-reports.ts',
    predictions: 'isa/predictions.ts',
  });
  const { predictionTable, readPredictions } = await import(
    pathToFileURL(join(bundles, 'predictions.js')).href
  );
  const { deviceSections, readDeviceReports } = await import(pathToFileURL(join(bundles, 'devices.js')).href);
  devices = deviceSections(join(folder, 'devices'));
  const known = readPredictions(join(folder, 'compilers/predictions.json'));
  predictions = predictionTable(known, readDeviceReports(join(folder, 'devices')));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
if (results.length === 0) {
  console.error('bench/results has no results; run npm run bench:peers first.');
  process.exit(1);
}
const intro =
  '# Results\n\nWritten by `npm run bench:table` from the JSON files in this folder, the latest of each kind. All times of one table\n' +
  'are from one run in which the contestants took turns; the speed of a machine drifts, so compare within a table only.';
const sections = [intro, ...results.map(section), `## Devices\n\n${devices.all}`];
writeFileSync(join(folder, 'README.md'), `${sections.join('\n\n')}\n`);

const lines = [...origins(results.filter((r) => r.steps)), ...firstUses(results)];
const notes = lines.map((line) => `- ${line}`).join('\n');
replaceBetween('benchmarks.md', 'bench', `${summaryTable(results)}\n\n${notes}`);
replaceBetween('benchmarks.md', 'products', squareProducts(results));
const beside = results.find((r) => r.pytorch);
if (beside) replaceBetween('benchmarks.md', 'pytorch', pytorchTable(beside));
replaceBetween('benchmarks.md', 'devices', devices.gpus);
replaceBetween('devices.md', 'predictions', predictions);

/** Replaces what is between the comments of a name in a page of docs/. */
function replaceBetween(page, name, content) {
  const path = join(docs, page);
  const text = readFileSync(path, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) {
    console.error(`docs/${page} has no lines ${start} and ${end}; it is unchanged.`);
    return;
  }
  writeFileSync(path, `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`);
}
