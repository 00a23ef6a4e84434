// The benchmark beside the peers: what is asked for on the command line, session by session, printed and kept in bench/results.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HeddleError } from '../../src/errors.ts';
import type { Choices } from '../../src/plan/planner.ts';
import { section } from '../format.mjs';
import { caseFolder, caseFolders } from './cases.ts';
import type { ContestantOptions } from './contestant.ts';
import { type HostContext, type HostFindings, type HostName, hostNames, hosts } from './hosts.ts';
import type { ContestantName, Task } from './session.ts';

const usage = `npm run bench:peers -- [options]
  --host dawn,chrome              where to run: Node with Dawn, headless Chrome             (dawn)
  --contestants heddle,tfjs,jax   who takes part; the first is what ratios refer to         (all)
  --check post-relu,...|none      golden cases that each must reproduce first               (post-relu,pre-gelu-tied)
  --cases small,mid,keras,base    whose training steps are timed                            (none)
  --steps 7 --warmups 2 --max-seconds 300
  --kernels [--only TEXT]         time single kernels, those with TEXT in their names; in Chrome onnxruntime-web (ort) too
  --profile small                 heddle's passes one by one
  --endure small --steps 2000     many steps of heddle twice
  --tune-ms 20000                 time in which heddle chooses its kernels for a case; 0: the first guesses
  --no-fuse NAME,...              rewrites that heddle leaves out
  --set tfjs.optimizer=flat       an option of a peer
  --golden PATH                   golden.py, which makes cases
  --warm-cache                    let the driver use its shader cache on disk
  --no-write                      print only`;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: 'dawn' },
    contestants: { type: 'string', default: 'heddle,tfjs,jax' },
    check: { type: 'string', default: 'post-relu,pre-gelu-tied' },
    cases: { type: 'string', default: '' },
    steps: { type: 'string', default: '7' },
    warmups: { type: 'string', default: '2' },
    'max-seconds': { type: 'string', default: '300' },
    kernels: { type: 'boolean', default: false },
    only: { type: 'string' },
    profile: { type: 'string', default: '' },
    endure: { type: 'string', default: '' },
    'tune-ms': { type: 'string', default: '20000' },
    'no-fuse': { type: 'string', default: '' },
    set: { type: 'string', multiple: true, default: [] },
    golden: { type: 'string' },
    'warm-cache': { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const root = process.cwd();
const list = (text: string): string[] => text.split(',').filter((word) => word !== '' && word !== 'none');
const log = (line: string) => console.error(`[${(performance.now() / 1e3).toFixed(1)} s] ${line}`);

if (values.help) console.log(usage);
else {
  try {
    for (const host of list(values.host)) await runOn(host);
  } catch (error) {
    console.error(error instanceof HeddleError ? error.message : error);
    process.exitCode = 1;
  }
}

async function runOn(name: string): Promise<void> {
  if (!hostNames.includes(name as HostName))
    throw new HeddleError(`There is no host ${name}; the hosts are ${hostNames.join(', ')}.`);
  const host = name as HostName;
  const contestants = list(values.contestants) as ContestantName[];
  const hasHeddle = contestants.includes('heddle');
  const context = contextOf([values.check, values.cases, values.profile, values.endure].flatMap(list));
  const run = (task: Omit<Task, 'options'>, choices: Choices = {}) =>
    hosts[host](
      { ...task, options: { ...peerOptions(), heddle: { choices, noFuse: list(values['no-fuse']) } } },
      context,
    );
  const budgetMs = Number(values['tune-ms']);
  const rounds = {
    steps: Number(values.steps),
    warmups: Number(values.warmups),
    maxSeconds: Number(values['max-seconds']),
  };
  /** Kernels chosen for a case, in a session of their own: pipelines compiled for it do not help the first step. */
  const tuned = async (of: string) => {
    if (!hasHeddle || budgetMs === 0) return undefined;
    log(`${host}: tuning heddle for ${of}`);
    return (await run({ contestants: [], tune: { name: of, budgetMs } })).tuned;
  };

  const checks = list(values.check);
  const reproduced = checks.length ? (await run({ contestants, reproduce: checks })).reproduced : undefined;
  for (const of of list(values.cases)) {
    const load = loadavg()[0] as number;
    const tuning = await tuned(of);
    // With nobody else in the process, as in a training.
    const guessed =
      tuning && (await run({ contestants: ['heddle'], time: { name: of, ...rounds, steps: 3 } })).timed?.[0];
    const found = await run({ contestants, time: { name: of, ...rounds } }, tuning?.choices);
    const steps = {
      timed: found.timed,
      ...(tuning && {
        tuning: {
          ms: tuning.ms,
          firstStepUntunedMs: guessed?.firstStepMs,
          untunedMs: guessed?.medianMs,
          recordMsAlone: guessed?.facts?.recordMs,
          choices: tuning.choices,
        },
      }),
    };
    finish(host, of, found, load, { reproduced, steps });
  }
  if (values.kernels) {
    const load = loadavg()[0] as number;
    // It trains nothing, and does not run in Node.
    const all: ContestantName[] = host === 'chrome' && contestants.length > 1 ? [...contestants, 'ort'] : contestants;
    const found = await run({ contestants: [...new Set(all)], kernels: { only: values.only } });
    finish(host, 'kernels', found, load, { kernels: found.kernels });
  }
  for (const of of list(values.profile)) {
    const load = loadavg()[0] as number;
    const tuning = await tuned(of);
    const found = await run({ contestants: [], profile: { name: of } }, tuning?.choices);
    finish(host, `${of}-profile`, found, load, { profile: found.profiled });
  }
  for (const of of list(values.endure)) {
    const load = loadavg()[0] as number;
    const tuning = await tuned(of);
    const found = await run({ contestants: ['heddle'], endure: { name: of, steps: rounds.steps } }, tuning?.choices);
    finish(host, `${of}-endurance`, found, load, { endured: found.endured });
  }
}

function contextOf(names: readonly string[]): HostContext {
  const folders = { ...caseFolders(root), ...(values.golden !== undefined && { script: values.golden }) };
  const cases = Object.fromEntries([...new Set(names)].map((name) => [name, caseFolder(name, folders, log)]));
  return { cases, log, warmCache: values['warm-cache'] };
}

/** `--set tfjs.optimizer=flat` as { tfjs: { optimizer: 'flat' } }. */
function peerOptions(): Partial<ContestantOptions> {
  const options: Record<string, Record<string, string | number>> = {};
  for (const setting of values.set) {
    const [, peer, key, value] = /^(\w+)\.(\w+)=(.*)$/.exec(setting) ?? [];
    if (!peer || !key || value === undefined) throw new HeddleError(`--set ${setting}: it must be PEER.KEY=VALUE`);
    options[peer] = { ...options[peer], [key]: Number.isNaN(Number(value)) ? value : Number(value) };
  }
  return options as Partial<ContestantOptions>;
}

/** Prints a result and keeps it as bench/results/DATE-HOST-WHAT.json. */
function finish(host: HostName, what: string, found: HostFindings, load: number, result: object): void {
  const date = new Date().toISOString();
  const whole = {
    what,
    host,
    date,
    adapter: found.adapter,
    ...(found.browser && { browser: found.browser }),
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    versions: versionsOf(host),
    load: [load, loadavg()[0]],
    ...result,
  };
  console.log(`\n${section(whole)}\n`);
  if (values['no-write']) return;
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
  return {
    heddle: `${version()} (${commit}${changed ? ', changed' : ''})`,
    'TensorFlow.js': version(...peers, '@tensorflow', 'tfjs-core'),
    'jax-js': version(...peers, '@jax-js', 'jax'),
    'onnxruntime-web': version(...peers, 'onnxruntime-web'),
    Node: process.versions.node,
    ...(host === 'dawn' && { webgpu: version('node_modules', 'webgpu') }),
  };
}
