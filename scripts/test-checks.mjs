// Checks of the test scripts: a program passes if it exits with status 0; projects of vitest.config.ts count
// each test. At the end the numbers of passed, failed and skipped tests are printed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, SetupError, setup } from './install.mjs';

const MINUTE = 60_000;

const counts = { passed: 0, failed: 0 };
const skipped = [];
const failed = [];
/** Seconds of each test file. */
const durations = [];
const folder = mkdtempSync(join(tmpdir(), 'heddle-test-'));

/** Sets up the machine, runs `work`, lists the skipped and failed tests, and sets the exit status. */
export async function runChecks(work) {
  try {
    setup();
    await work();
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
  list(
    'skipped: npm run test:full runs them, or something that they need is missing on this machine',
    skipped,
  );
  list('failed', failed);
  process.exitCode = counts.failed > 0 ? 1 : 0;
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped`);
}

function list(title, lines) {
  if (lines.length > 0) console.log(`\n${title}:\n  ${lines.join('\n  ')}`);
}

export function count(name, ok) {
  counts[ok ? 'passed' : 'failed']++;
  if (!ok) failed.push(name);
}

/** Adds a test that is skipped. */
export function skip(name) {
  skipped.push(name);
}

/**
 * Runs `program` (default: Node) with `args` and more environment variables. Returns whether it exited with
 * status 0 within the time limit.
 */
export async function run(name, args, minutes, program = process.execPath, more = {}) {
  const start = performance.now();
  const env = { ...process.env, NO_COLOR: process.stdout.isTTY ? process.env.NO_COLOR : '1', ...more };
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
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

/** Runs the project `deno`, or `files` of it, in that program: Vitest itself runs in Deno. */
export const runDeno = (deno, options) =>
  runProject({ name: 'deno', program: [deno, 'run', '--allow-all', '--quiet'], ...options });

/**
 * Runs the tests of a project, or those of `files`, and adds its report to the counts under `label`.
 * `program` is Node and its flags, or another runtime.
 */
export async function runProject({ name, label = name, minutes, files = [], program = [process.execPath] }) {
  const file = join(folder, `${label}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const [runtime, ...flags] = program;
  const args = [...flags, 'node_modules/vitest/vitest.mjs', 'run', '--project', name, ...reporters, ...files];
  const ok = await run(label, args, minutes, runtime);
  const before = counts.failed;
  const ran = addReport(label, file);
  if (ran === 0) count(`${label}: no test ran`, false);
  else if (!ok && counts.failed === before) count(`${label}: vitest failed outside its tests`, false);
}

/**
 * Adds a JSON report of Vitest to the counts. Returns the number of tests that ran. A file that does not load
 * is one failure.
 */
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
