// One session of measurements, the same in Node and in a page: it uses navigator.gpu and the golden cases,
// and returns plain data. Each session runs in a new process or browser, so that its first step compiles all
// shaders.

import { readGolden } from '../../src/commands/jobs/verify/golden-case.ts';
import { HeddleError } from '../../src/core/errors.ts';
import type { KernelChoices } from '../../src/engine/plan/kernel-choices.ts';
import type { Files } from '../../src/files/files.ts';
import { installApiCounter } from './api-counter.ts';

import type { Contestant, ContestantOptions } from './contestant.ts';
import { type EnduranceResult, runEndurance } from './endurance.ts';
import { create as createHeddle, tuneStep } from './heddle-contestant.ts';
import { create as createJax } from './jax.mjs';
import { type KernelRounds, type TimedKernel, timeKernels } from './kernel-times.ts';
import { create as createOrt } from './ort.mjs';
import { profileStep } from './step-profile.ts';
import { type ReproducedCase, type Rounds, reproduce, type TimedSteps, timeSteps } from './step-times.ts';
import { create as createTfjs } from './tfjs.mjs';

/** Task of a session; exactly one of the fields after `options` is set. */
export interface Task {
  readonly contestants: readonly ContestantName[];
  readonly options: Partial<ContestantOptions>;
  /** Golden cases to reproduce. */
  readonly reproduce?: readonly string[];
  /** A case whose steps are timed. */
  readonly time?: { readonly name: string } & Rounds;
  readonly kernels?: KernelRounds;
  /** Auto-tune the kernels of a case, on a separate device. */
  readonly tune?: { readonly name: string; readonly budgetMs: number };
  readonly profile?: { readonly name: string };
  readonly endure?: { readonly name: string; readonly steps: number };
}

/** Result of a task. */
export interface Findings {
  readonly adapter: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>>;
  /** By contestant, then case. */
  readonly reproduced?: Readonly<Record<string, Readonly<Record<string, ReproducedCase>>>>;
  readonly timed?: readonly TimedSteps[];
  readonly kernels?: readonly TimedKernel[];
  readonly tuned?: { readonly choices: KernelChoices; readonly ms: number };
  /** Lines of a table. */
  readonly profiled?: readonly string[];
  readonly endured?: EnduranceResult;
}

const makers = {
  heddle: createHeddle,
  tfjs: createTfjs as (options?: ContestantOptions['tfjs']) => Promise<Contestant>,
  jax: createJax as (options?: ContestantOptions['jax']) => Promise<Contestant>,
  ort: createOrt as unknown as (options?: undefined) => Promise<Contestant>,
} as const;

/** Names of the contestants. */
export type ContestantName = keyof typeof makers;

/**
 * Runs a task. `read` returns a file of the golden cases. Rejects on any WebGPU error, because results after
 * an error are invalid.
 */
export async function runTask(
  task: Task,
  read: (path: string) => Promise<Uint8Array>,
  log: (line: string) => void,
): Promise<Findings> {
  const meter = installApiCounter();
  const errors: string[] = [];
  const files = readOnly(read);
  const open = (name: string) => readGolden(files, name);
  const info = (await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }))?.info;
  if (!info) throw new HeddleError('There is no WebGPU adapter.');
  const { vendor, architecture, device, description } = info;
  const adapter = { vendor, architecture, device, description };

  if (task.tune) {
    const golden = await open(task.tune.name);
    const begun = performance.now();
    const choices = await tuneStep(golden, {
      budgetMs: task.tune.budgetMs,
      measureAll: true,
      onMeasured: ([best]) => log(`${best?.variant}, ${best?.ms.toFixed(2)} ms, ${best?.key}`),
    });
    return { adapter, tuned: { choices, ms: performance.now() - begun } };
  }
  if (task.profile) {
    const { choices = {}, noFuse = [] } = task.options.heddle ?? {};
    return { adapter, profiled: await profileStep(await open(task.profile.name), choices, noFuse) };
  }

  const contestants: Contestant[] = [];
  for (const name of task.contestants) {
    const contestant = await makers[name](task.options[name as keyof ContestantOptions] as never);
    contestant.device.addEventListener('uncapturederror', (e) => errors.push(`${name}: ${e.error.message}`));
    contestants.push(contestant);
  }
  const findings = await measure();
  if (errors.length) throw new Error(`${errors.length} WebGPU errors, the first: ${errors[0]}`);
  return { adapter, ...findings };

  async function measure(): Promise<Omit<Findings, 'adapter'>> {
    if (task.time)
      return { timed: await timeSteps(contestants, meter, await open(task.time.name), task.time, log) };
    if (task.kernels) return { kernels: await timeKernels(contestants, task.kernels, log) };
    if (task.endure) {
      const golden = await open(task.endure.name);
      return {
        endured: await runEndurance(contestants[0] as Contestant, meter, golden, task.endure.steps, log),
      };
    }
    const reproduced: Record<string, Record<string, ReproducedCase>> = {};
    for (const contestant of contestants)
      for (const name of task.reproduce ?? []) {
        const found = await reproduce(contestant, await open(name));
        reproduced[contestant.name] = { ...reproduced[contestant.name], [name]: found };
        log(`${contestant.name} reproduces ${name}: ${JSON.stringify(found)}`);
      }
    return { reproduced };
  }
}

/** Read-only files. */
function readOnly(read: Files['read']): Files {
  const no = () => Promise.reject(new Error('golden cases are read-only'));
  return { read, write: no, exists: no, list: no, rename: no, remove: no };
}
