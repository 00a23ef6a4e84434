// Runs the benchmark against the peers: one session for each measurement; prints the results and stores them
// in bench/results.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { HeddleError } from '../../src/core/errors.ts';

import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import { enduranceFaults, section } from '../result-tables.mjs';
import { caseFolders, caseNames, prepareCase } from './bench-cases.ts';
import { type HostContext, type HostFindings, hosts } from './bench-hosts.ts';
import { type HostName, type Options, readOptions, reasonNotStored, usage } from './bench-options.ts';
import type { ContestantName, Task } from './bench-session.ts';

import type { ContestantOptions } from './contestant.ts';

const root = process.cwd();
const log = (line: string) => console.error(`[${(performance.now() / 1e3).toFixed(1)} s] ${line}`);

/**
 * Runs the benchmark. `prepare` installs and bundles the peers; it is called after the arguments are
 * validated. Resolves to the exit status: 0; 1 if something failed or the endurance test failed; 2 for
 * invalid arguments.
 */
export async function main(args: readonly string[], prepare: () => Promise<void>): Promise<number> {
  if (args.includes('--help')) {
    console.log(usage);
    return 0;
  }
  let options: Options | undefined;
  try {
    options = readOptions(args, caseNames(caseFolders(root)));
    await prepare();
    let passed = true;
    for (const host of options.hosts) passed = (await runOn(host, options)) && passed;
    printNotCovered();
    return passed ? 0 : 1;
  } catch (error) {
    console.error(error instanceof HeddleError ? error.message : error);
    return options ? 1 : 2;
  }
}

/** Runs all measurements on one host. Resolves to whether heddle passed the endurance test. */
async function runOn(host: HostName, options: Options): Promise<boolean> {
  const { contestants, rounds, tuneMs } = options;
  const context = await contextOf(options);
  const run = (task: Omit<Task, 'options'>, heddle: ContestantOptions['heddle'] = {}) =>
    hosts[host](
      { ...task, options: { ...options.set, heddle: { ...heddle, noFuse: options.noFuse } } },
      context,
    );
  /**
   * Auto-tunes the kernels of a case in a separate session, so that no pipeline is compiled before the first
   * step.
   */
  const tuned = async (caseName: string): Promise<{ choices: KernelChoices; ms: number } | undefined> => {
    if (tuneMs === 0) return undefined;
    log(`${host}: tuning heddle for ${caseName}`);
    return (await run({ contestants: [], tune: { name: caseName, budgetMs: tuneMs } })).tuned;
  };
  /** Times heddle without peers in the process, as in a real training run. */
  const heddleOnly = async (caseName: string, steps: number, heddle: ContestantOptions['heddle']) =>
    (await run({ contestants: ['heddle'], time: { name: caseName, ...rounds, steps } }, heddle)).timed?.[0];

  const reproduced = options.check.length
    ? (await run({ contestants, reproduce: options.check })).reproduced
    : undefined;
  for (const caseName of options.cases) {
    const load = loadavg()[0] as number;
    const tuning = contestants.includes('heddle') ? await tuned(caseName) : undefined;
    const guessed = tuning && (await heddleOnly(caseName, 3, {}));
    const found = await run(
      { contestants, time: { name: caseName, ...rounds } },
      { choices: tuning?.choices },
    );
    // After the rounds, so that it does not affect their times.
    const first = tuning && (await heddleOnly(caseName, 1, { firstUse: true }));
    const steps = {
      timed: found.timed,
      tuning: tuning && {
        ms: tuning.ms,
        firstUseMs: first?.firstStepMs,
        firstStepUntunedMs: guessed?.firstStepMs,
        untunedMs: guessed?.medianMs,
        recordMsAlone: guessed?.facts?.recordMs,
        choices: tuning.choices,
      },
    };
    finish(host, caseName, found, load, { reproduced, steps }, reasonNotStored(options, 'steps'));
  }
  if (options.kernels) {
    const load = loadavg()[0] as number;
    // onnxruntime-web cannot train and does not run in Node.
    const all: ContestantName[] =
      host === 'chrome' && contestants.length > 1 ? [...contestants, 'ort'] : [...contestants];
    const found = await run({ contestants: all, kernels: { only: options.only } });
    finish(host, 'kernels', found, load, { kernels: found.kernels }, reasonNotStored(options, 'kernels'));
  }
  for (const caseName of options.profile) {
    const load = loadavg()[0] as number;
    const { choices } = (await tuned(caseName)) ?? {};
    const found = await run({ contestants: [], profile: { name: caseName } }, { choices });
    finish(
      host,
      `${caseName}-profile`,
      found,
      load,
      { profile: found.profiled },
      reasonNotStored(options, 'profile'),
    );
  }
  let endured = true;
  for (const caseName of options.endure) {
    const load = loadavg()[0] as number;
    const { choices } = (await tuned(caseName)) ?? {};
    const endure = { name: caseName, steps: options.enduranceSteps };
    const found = await run({ contestants: ['heddle'], endure }, { choices });
    finish(
      host,
      `${caseName}-endurance`,
      found,
      load,
      { endured: found.endured },
      reasonNotStored(options, 'endurance'),
    );
    for (const fault of enduranceFaults(found.endured)) {
      console.error(`${caseName} on ${host} failed the endurance test: ${fault}`);
      endured = false;
    }
  }
  return endured;
}

async function contextOf({ check, cases: timed, profile, endure, warmCache }: Options): Promise<HostContext> {
  const cases: Record<string, string> = {};
  for (const name of new Set([...check, ...timed, ...profile, ...endure])) {
    const { folder, reference } = await prepareCase(name, caseFolders(root), log);
    cases[name] = folder;
    if (reference !== 'PyTorch') notCovered.add(coverage[reference](name));
  }
  return { cases, log, warmCache };
}

/** Checks that this machine cannot do; printed at the end. */
const notCovered = new Set<string>();
const coverage = {
  float64: (name: string) => `${name} is checked against heddle's float64 reference, not against PyTorch`,
  none: (name: string) =>
    `${name} has no reference results because it is too large for the float64 reference: losses are compared between the contestants`,
};

function printNotCovered(): void {
  if (notCovered.size === 0) return;
  console.error(
    '\nNot checked, because PyTorch is not installed (Debian: apt-get install python3-torch python3-safetensors):',
  );
  for (const line of notCovered) console.error(`  ${line}`);
}

/** Prints a result and stores it as bench/results/DATE-HOST-WHAT.json, unless there is a `reason` not to. */
function finish(
  host: HostName,
  what: string,
  found: HostFindings,
  load: number,
  result: object,
  reason: string | undefined,
): void {
  const date = new Date().toISOString();
  const whole = {
    what,
    host,
    date,
    adapter: found.adapter,
    browser: found.browser,
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    versions: versionsOf(host),
    load: [load, loadavg()[0]],
    ...result,
  };
  console.log(`\n${section(whole)}\n`);
  if (reason) {
    log(`not stored: ${reason}`);
    return;
  }
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${date.slice(0, 10)}-${host}-${what}.json`);
  writeFileSync(path, `${JSON.stringify(whole, null, 1)}\n`);
  log(`wrote ${path}`);
}

function versionsOf(host: HostName): Record<string, string> {
  const version = (...path: string[]) =>
    (JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8')) as { version: string }).version;
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  const changed = git('status', '--porcelain', '--', 'src', 'shaders') !== '';
  const peers = ['bench', 'peers', 'node_modules'];
  const own: Record<string, string> = {
    heddle: `${version()} (${commit}${changed ? ', changed' : ''})`,
    'TensorFlow.js': version(...peers, '@tensorflow', 'tfjs-core'),
    'jax-js': version(...peers, '@jax-js', 'jax'),
    'onnxruntime-web': version(...peers, 'onnxruntime-web'),
    Node: process.versions.node,
  };
  if (host === 'dawn') own.webgpu = version('node_modules', 'webgpu');
  return own;
}
