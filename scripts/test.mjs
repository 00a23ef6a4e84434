// npm test: sets up the machine, then runs all checks: build, package, types, lint, and the tests in Node, on
// Dawn and in Chrome. A failure does not stop it. At the end it lists the skipped and failed tests by name;
// its last line is `N passed, N failed, N skipped`.
//
//   --full    also the tests that take minutes, install the package in an empty project, damage files at random for a minute and train in
//             the page for 200 steps
//             (npm run test:full)
import { readdirSync } from 'node:fs';
import { findDeno } from './install.mjs';
import { count, run, runChecks, runDeno, runProject, skip } from './test-checks.mjs';

/**
 * The check that the others need to pass first. Each check counts as one test. The documentation takes half a minute:
 * `--full` writes it too, and its warnings are errors.
 */
const withDocs = process.argv.includes('--full');
const BUILD = { name: 'build', args: ['scripts/build.mjs', ...(withDocs ? [] : ['--no-docs'])], minutes: 5 };

/** Checks that run one after another, in parallel with the test projects. */
const CHECKS = [
  { name: 'package', args: ['node_modules/publint/src/cli.js', '--strict', '--pack', 'false'], minutes: 3 },
  { name: 'types', args: ['node_modules/typescript-7/bin/tsc', '--noEmit'], minutes: 6 },
  {
    name: 'lint',
    args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
    minutes: 3,
  },
];

/** Checks of `--full`, which run last. */
const FULL_CHECKS = [
  { name: 'install', args: ['scripts/check-install.mjs'], minutes: 5 },
  { name: 'fuzz', args: ['tests/fuzz/run-fuzz.mjs', '--seconds', '60'], minutes: 5 },
  { name: 'soak', args: ['scripts/soak.mjs', '--small', '--steps', '200', '--gpu', 'auto'], minutes: 10 },
];

/**
 * Folders of tests by the part of `cpu` that runs them: the pages, commands and other processes, and the
 * rest.
 */
const PAGES = ['demo'];
const COMMANDS = ['commands', 'examples', 'host'];
const REST = readdirSync('tests').filter((name) => ![...PAGES, ...COMMANDS].includes(name));
/** Paths below tests/. Vitest looks for them in the paths of files, so a folder ends with a slash. */
const inTests = (names) => names.map((name) => `tests/${name}${name.includes('.') ? '' : '/'}`);

/**
 * The projects of vitest.config.ts, `cpu` in three parts. Two run at a time, because each leaves cores idle
 * while it compiles or waits; in this order both workers finish at about the same time, with and without a
 * cache of compiled kernels.
 */
const PROJECTS = [
  { name: 'cpu', label: 'pages', minutes: 20, files: inTests(PAGES) },
  { name: 'dawn', minutes: 20 },
  { name: 'cpu', minutes: 20, files: inTests(REST) },
  { name: 'chrome', minutes: 30 },
  { name: 'cpu', label: 'commands', minutes: 20, files: inTests(COMMANDS) },
];

/**
 * Tests that also run in Deno: all shaders compile, 20 updates, a golden case. llvmpipe compiles as in
 * vitest.config.ts.
 */
const SMOKE = ['tests/engine/gpu/shaders.gpu', 'tests/bench/conformance-check.gpu'];
const GOLDEN = ['dist/cli.js', 'verify', 'tests/fixtures/golden/odd-post', '--host', 'deno'];
const FAST_COMPILER = { GALLIVM_PERF: 'nopt', LP_NATIVE_VECTOR_WIDTH: '128' };

if (process.argv.includes('--full')) process.env.HEDDLE_FULL = '1';

await runChecks(async () => {
  await runAll([BUILD]);
  const waiting = [...PROJECTS];
  const worker = async () => {
    for (let project = waiting.shift(); project; project = waiting.shift()) await runProject(project);
  };
  const [deno] = await Promise.all([denoProgram(), worker(), worker(), runAll(CHECKS)]);
  if (deno) {
    process.env.DENO_PATH = deno;
    const golden = run('deno: golden case', GOLDEN, 3, process.execPath, FAST_COMPILER);
    await runDeno(deno, { minutes: 5, files: SMOKE });
    count('deno: golden case', await golden);
  } else skip(`deno: ${SMOKE.join(', ')}, a golden case: the npm package deno could not be installed`);
  if (!process.argv.includes('--full')) return;
  await runProject({ name: 'full', minutes: 20 });
  await runAll(FULL_CHECKS);
});

/**
 * Path of Deno. Installs it while the tests run if it is missing; undefined if that fails, e.g. without a
 * network.
 */
async function denoProgram() {
  if (!findDeno()) await run('installing Deno', ['scripts/install.mjs', 'deno'], 5);
  return findDeno();
}

async function runAll(checks) {
  for (const { name, args, minutes } of checks) count(name, await run(name, args, minutes));
}
