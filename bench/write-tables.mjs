// npm run bench:table: writes the latest results of bench/results as a short table into README.md, between
// the lines <!-- bench --> and <!-- /bench -->, and as full tables into bench/results/README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstUses, latest, origins, readResults, section, summaryTable } from './result-tables.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, 'results');
const readme = join(here, '..', 'README.md');

let results;
try {
  results = latest(readResults(folder));
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
writeFileSync(join(folder, 'README.md'), `${[intro, ...results.map(section)].join('\n\n')}\n`);

const text = readFileSync(readme, 'utf8');
const between = /(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/;
if (between.test(text)) {
  const lines = [...origins(results.filter((r) => r.steps)), ...firstUses(results)];
  const notes = lines.map((line) => `- ${line}`).join('\n');
  writeFileSync(
    readme,
    text.replace(between, (_, start, end) => `${start}\n${summaryTable(results)}\n\n${notes}\n\n${end}`),
  );
} else console.error('README.md has no lines <!-- bench --> and <!-- /bench -->; it is unchanged.');
