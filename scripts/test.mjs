// npm test: sets up the machine, then runs all checks: build, package, types, lint, and the tests in Node, on Dawn and in Chrome. A failure
// does not stop it. At the end it lists the skipped and failed tests by name; its last line is `N passed, N failed, N skipped`.
//
//   --full    also install the package in an empty project, damage files at random for a minute and train in the page for 200 steps
//             (npm run test:full)
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, SetupError, setup } from './install.mjs';

const MINUTE = 60_000;
const BIN = 'node_modules/.bin';

/** Checks that count as one test each, in order. */
const CHECKS = [
  { name: 'build', args: ['scripts/build.mjs'], minutes: 3 },
  { name: 'package', args: [`${BIN}/publint`, '--strict', '--pack', 'false'], minutes: 1 },
  { name: 'types', args: [`${BIN}/tsc`, '--noEmit'], minutes: 3 },
  { name: 'lint', args: [`${BIN}/biome`, 'check', '--error-on-warnings'], minutes: 1 },
];

/** Checks of `--full`, which run last. */
const FULL_CHECKS = [
  { name: 'docs', args: [`${BIN}/typedoc`], minutes: 3 },
  { name: 'install', args: ['scripts/check-install.mjs'], minutes: 5 },
  { name: 'fuzz', args: ['tests/fuzz/run-fuzz.mjs', '--seconds', '60'], minutes: 5 },
  { name: 'soak', args: ['scripts/soak.mjs', '--small', '--steps', '200', '--gpu', 'auto'], minutes: 10 },
];

/** The projects of vitest.config.ts, the longest first. Two run at a time, since each leaves cores idle while it compiles or waits. */
const PROJECTS = [
  { name: 'chrome', minutes: 30 },
  { name: 'cpu', minutes: 20 },
  { name: 'dawn', minutes: 20 },
];

const counts = { passed: 0, failed: 0 };
const skipped = [];
const failed = [];
/** Seconds of each test file. */
const durations = [];
const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));

try {
  setup();
  for (const check of CHECKS) count(check.name, await run(check.name, check.args, check.minutes));
  const waiting = [...PROJECTS];
  const line = async () => {
    for (let project = waiting.shift(); project; project = waiting.shift()) await runProject(project);
  };
  await Promise.all([line(), line()]);
  if (process.argv.includes('--full'))
    for (const check of FULL_CHECKS) count(check.name, await run(check.name, check.args, check.minutes));
} catch (error) {
  console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
  count('setup', false);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

durations.sort((a, b) => b.seconds - a.seconds);
list(
  'slowest test files',
  durations.slice(0, 8).map(({ file, seconds }) => `${seconds.toFixed(1).padStart(6)} s  ${file}`),
);
list('skipped, because something that they need is missing here', skipped);
list('failed', failed);
process.exitCode = counts.failed > 0 ? 1 : 0;
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped`);

function list(title, lines) {
  if (lines.length > 0) console.log(`\n${title}:\n  ${lines.join('\n  ')}`);
}

function count(name, ok) {
  counts[ok ? 'passed' : 'failed']++;
  if (!ok) failed.push(name);
}

/** Runs Node with `args`. Returns whether it exited with status 0 within the time limit. */
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

/** Runs the tests of a project and adds its report to the counts. */
async function runProject({ name, minutes }) {
  const file = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = await run(name, [`${BIN}/vitest`, 'run', '--project', name, ...reporters], minutes);
  const before = counts.failed;
  const ran = addReport(name, file);
  if (ran === 0) count(`${name}: no test ran`, false);
  else if (!ok && counts.failed === before) count(`${name}: vitest failed outside its tests`, false);
}

/** Adds a JSON report of Vitest to the counts. Returns the number of tests that ran. A file that does not load is one failure. */
function addReport(project, file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
  let ran = 0;
  for (const { name: path, status, assertionResults: tests, startTime, endTime } of report.testResults) {
    const label = `${project}: ${relative(root, path)}`;
    durations.push({ file: label, seconds: (endTime - startTime) / 1000 });
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
