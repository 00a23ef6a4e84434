// npm test: sets the machine up, then runs every check in turn: build, package, types, lint, and the tests in Node, on Dawn and in
// Chrome. It goes on after a failure, and its last line is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, SetupError, setup } from './install.mjs';

const MINUTE = 60_000;
const BIN = 'node_modules/.bin';

/** The checks that pass or fail as one, in order. */
const CHECKS = [
  { name: 'build', args: ['scripts/build.mjs'], minutes: 3 },
  { name: 'package', args: [`${BIN}/publint`, '--strict', '--pack', 'false'], minutes: 1 },
  { name: 'types', args: [`${BIN}/tsc`, '--noEmit'], minutes: 3 },
  { name: 'lint', args: [`${BIN}/biome`, 'check', '--error-on-warnings'], minutes: 1 },
];

/** The projects of vitest.config.ts, the longest first. Two run side by side: each leaves cores idle while it compiles or waits. */
const PROJECTS = [
  { name: 'chrome', minutes: 30 },
  { name: 'cpu', minutes: 20 },
  { name: 'dawn', minutes: 20 },
];

const counts = { passed: 0, failed: 0 };
const skipped = [];
const failed = [];
const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));

try {
  setup();
  for (const check of CHECKS) count(check.name, await run(check.name, check.args, check.minutes));
  const waiting = [...PROJECTS];
  const line = async () => {
    for (let project = waiting.shift(); project; project = waiting.shift()) await runProject(project);
  };
  await Promise.all([line(), line()]);
} catch (error) {
  console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
  count('setup', false);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (skipped.length > 0) console.log(`\nskipped:\n  ${skipped.join('\n  ')}`);
if (failed.length > 0) console.log(`\nfailed:\n  ${failed.join('\n  ')}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);

function count(name, ok) {
  counts[ok ? 'passed' : 'failed']++;
  if (!ok) failed.push(name);
}

/** Runs Node on `args`; gives whether it ended well and in time. */
async function run(name, args, minutes) {
  const start = performance.now();
  const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  const stop = setTimeout(() => child.kill('SIGTERM'), minutes * MINUTE); // lets Vitest close its Chrome
  const kill = setTimeout(() => child.kill('SIGKILL'), minutes * MINUTE + 15_000);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(stop);
  clearTimeout(kill);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${status === 0 ? 'ok' : `failed (${status})`}, ${seconds} s`);
  return status === 0;
}

/** Runs one project's tests and adds up its report. */
async function runProject({ name, minutes }) {
  const file = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = await run(name, [`${BIN}/vitest`, 'run', '--project', name, ...reporters], minutes);
  const before = counts.failed;
  const ran = addReport(name, file);
  if (ran === 0) count(`${name}: no test ran`, false);
  else if (!ok && counts.failed === before) count(`${name}: vitest failed outside its tests`, false);
}

/** Adds a JSON report of Vitest to the counts; gives how many tests ran. A file that does not load is one failure. */
function addReport(project, file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
  let ran = 0;
  for (const { name: path, status, assertionResults: tests } of report.testResults) {
    const label = `${project}: ${relative(root, path)}`;
    if (status === 'failed' && !tests.some((test) => test.status === 'failed')) count(label, false);
    for (const test of tests) {
      const title = `${label} > ${test.fullName}`;
      if (test.status === 'passed' || test.status === 'failed') {
        count(title, test.status === 'passed');
        ran++;
      } else skipped.push(title);
    }
  }
  return ran;
}
