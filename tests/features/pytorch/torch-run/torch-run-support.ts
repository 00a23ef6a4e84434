// Training runs that start in heddle on the CPU, continue in PyTorch and end in heddle, and their losses.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainRun } from '../../../../src/api/train-in-session.ts';
import { random } from '../../../../src/core/random.ts';
import { type CpuEngineOptions, cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { convertRun } from '../../../../src/features/pytorch/commands/convert-run.ts';
import { readSafetensors } from '../../../../src/files/safetensors.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import type { ModelConfig } from '../../../../src/model/model-config.ts';
import type { CorpusArguments } from '../../../../src/train/data/corpus-arguments.ts';
import { historyOf, type LogStep, parseLog } from '../../../../src/train/report/training-log.ts';
import type { TrainArguments } from '../../../../src/train/settings/train-arguments.ts';
import { python } from '../../../support/python.ts';
import { EngineSession } from '../../../support/session.ts';

/** Runs continue.py in a folder with torchrun, or without it (0 processes); returns its status and stderr. */
export function torchrun(
  folder: string,
  processes: number,
  ...args: string[]
): Promise<[number | null, string]> {
  return continued(folder, processes, args).ended;
}

/** Starts continue.py; `child` is torchrun, or Python itself without it (0 processes). */
export function continued(folder: string, processes: number, args: readonly string[]) {
  // Debian's PyTorch has no libuv: docs/scale-out.md.
  const meeting = [
    '--rdzv-backend',
    'c10d',
    '--rdzv-endpoint',
    `${folder}.rdzv`,
    '--rdzv-conf',
    'store_type=file',
  ];
  const launch = ['-m', 'torch.distributed.run', ...meeting, '--nproc-per-node', `${processes}`];
  const libuv = { USE_LIBUV: '0', TORCH_DISABLE_SHARE_RDZV_TCP_STORE: '1' };
  rmSync(`${folder}.rdzv`, { force: true });
  const child = spawn(
    python,
    [...(processes > 0 ? launch : []), join(folder, 'continue.py'), folder, ...args],
    {
      env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', ...libuv },
    },
  );
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<[number | null, string]>((resolve) =>
    child.on('close', (status) => resolve([status, text])),
  );
  return { child, ended };
}

/** A session with the disk and the CPU executor. `options`: of the engine. */
export const cpuSession = (options: CpuEngineOptions = {}) =>
  new EngineSession(nodeFiles(), async () => cpuEngine(options));

/** Trains on the CPU. */
export const train = (args: TrainArguments, options: CpuEngineOptions = {}) =>
  trainRun(args, cpuSession(options));

/** Converts a checkpoint for continue.py. */
export const toTorchRun = (folder: string, out: string, more: { readonly steps?: number } = {}) =>
  convertRun({ folder, out, ...more }, cpuSession());

/** Loss and norm of each update in the log of a folder. */
export const stepsOf = (folder: string) =>
  historyOf(parseLog(readFileSync(join(folder, 'log.jsonl'), 'utf8'))).steps;

/** Writes pairs of random token ids as TSV, for models without tokenizers. */
export function writeIdPairs(
  path: string,
  { srcVocab, tgtVocab, padId, startId, endId }: ModelConfig,
  count = 60,
): string {
  const r = random(7);
  const ids = Array.from({ length: Math.min(srcVocab, tgtVocab) }, (_, id) => id);
  const words = ids.filter((id) => id > 2 && ![padId, startId, endId].includes(id));
  const row = () => Array.from({ length: 2 + r.int(7) }, () => r.pick(words)).join(' ');
  writeFileSync(path, Array.from({ length: count }, () => `${row()}\t${row()}\n`).join(''));
  return path;
}

/** Total number of updates at the end of each part: heddle, PyTorch, heddle. */
export type Parts = readonly [first: number, torch: number, last: number];

/**
 * Trains without a break, and in three parts, the second in PyTorch (default: two processes). Returns both
 * lists of losses, and their largest difference.
 */
export async function threeParts(
  folder: string,
  args: Omit<TrainArguments, 'out'>,
  [first, middle, last]: Parts,
  { processes = 2, options = [] as readonly string[] } = {},
) {
  const [whole, parts, out] = ['whole', 'parts', 'torch'].map((name) => `${folder}-${name}`) as [
    string,
    string,
    string,
  ];
  const common = { scheduleSteps: last, ...args } as TrainArguments;
  if (!['linear', 'cosine'].includes(args.schedule ?? ''))
    delete (common as { scheduleSteps?: number }).scheduleSteps;
  await train({ ...common, steps: last, out: whole });
  await train({ ...common, steps: first, out: parts });
  await toTorchRun(parts, out, { steps: middle });
  const [status, text] = await torchrun(out, processes, '--steps', `${middle}`, ...options);
  if (status !== 0) throw new Error(text);
  await train({ corpus: args.corpus, resume: true, steps: last, out });
  const [expected, found] = [whole, out].map((name) => stepsOf(name).map(({ loss }) => loss)) as [
    number[],
    number[],
  ];
  const difference = expected.reduce(
    (max, loss, i) => Math.max(max, Math.abs(loss - (found[i] ?? Number.NaN))),
    0,
  );
  return { difference, expected, found, out, whole };
}

/** Compares the same updates in heddle and in PyTorch, both resumed from the same checkpoint. */
export interface SameStart {
  readonly steps: readonly { readonly step: number; readonly heddle: number; readonly torch: number }[];
  /**
   * Largest difference of a number in the checkpoints after these updates, relative to the largest in its
   * tensor.
   */
  readonly state: number;
}

/**
 * Trains in three parts, the second in PyTorch. After both changes of engine both engines do the same
 * updates, from the same checkpoint, so that only the rounding of these updates differs. In float64 all
 * updates agree at every learning rate; heddle keeps its states in float64 then.
 */
export async function bothEngines(
  folder: string,
  args: Omit<TrainArguments, 'out'>,
  [first, middle, last]: Parts,
  { dtype, processes }: { readonly dtype: 'f32' | 'f64'; readonly processes: number },
): Promise<{ readonly there: SameStart; readonly back: SameStart }> {
  const at = (name: string) => `${folder}-${dtype}-${name}`;
  const wide = { wideStates: dtype === 'f64' };
  const { corpus } = args;
  const inTorch = async (out: string, steps: number) => {
    const [status, text] = await torchrun(out, processes, '--steps', `${steps}`, '--dtype', dtype);
    if (status !== 0) throw new Error(text);
  };
  const falling = ['linear', 'cosine'].includes(args.schedule ?? '');
  const start = `${folder}-start`;
  if (!existsSync(start))
    await train({ ...args, scheduleSteps: falling ? 100 : undefined, steps: first, out: start });
  cpSync(start, at('here'), { recursive: true });
  await toTorchRun(at('here'), at('torch'), { steps: last });
  await train({ corpus, resume: true, steps: middle, out: at('here') }, wide);
  await inTorch(at('torch'), middle);
  const there = compared(at('here'), at('torch'), first);
  cpSync(at('torch'), at('back'), { recursive: true });
  await train({ corpus, resume: true, steps: last, out: at('back') }, wide);
  await inTorch(at('torch'), last);
  return { there, back: compared(at('back'), at('torch'), middle) };
}

function compared(heddle: string, torch: string, first: number): SameStart {
  const losses = [heddle, torch].map((folder) => stepsOf(folder).slice(first)) as [LogStep[], LogStep[]];
  const steps = losses[0].map(({ step, loss }, i) => ({
    step,
    heddle: loss,
    torch: losses[1][i]?.loss ?? Number.NaN,
  }));
  const files = [
    'optimizer.safetensors',
    ...readdirSync(torch).filter((name) => /model\.safetensors$/.test(name)),
  ];
  return {
    steps,
    state: Math.max(...files.map((name) => stateDifference(join(heddle, name), join(torch, name)))),
  };
}

/** Largest difference of two safetensors files, relative to the largest number of its tensor. */
function stateDifference(a: string, b: string): number {
  const [one, other] = [a, b].map((path) => readSafetensors(new Uint8Array(readFileSync(path)))) as [
    ReturnType<typeof readSafetensors>,
    ReturnType<typeof readSafetensors>,
  ];
  if (String(Object.keys(one).sort()) !== String(Object.keys(other).sort())) return Number.POSITIVE_INFINITY;
  return Object.entries(one).reduce((most, [name, { data }]) => {
    const max = (data as Float32Array).reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    const moved = (data as Float32Array).reduce(
      (m, x, i) => Math.max(m, Math.abs(x - (other[name]?.data[i] ?? Number.NaN))),
      0,
    );
    return moved === 0 ? most : Math.max(most, moved / max);
  }, 0);
}

const plainRun = {
  batchSize: 8,
  buckets: 2,
  testSentences: 0,
  heldOut: 0.1,
  evalSteps: 0,
  saveSeconds: 0,
  dropout: 0,
};

/** A tiny run without dropout; a few dozen updates take about a second. */
export const smallRun = {
  ...plainRun,
  corpus: { kind: 'intl', source: 'en', target: 'es', pairs: 120, seed: 1 } as CorpusArguments,
  vocabSize: 200,
  model: { dModel: 8, heads: 2, feedForward: 12, encoderLayers: 1, decoderLayers: 1, maxLength: 40 },
};
