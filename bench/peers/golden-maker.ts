// Creates golden cases for the benchmark: random weights, a random batch, and the results of a reference. The
// reference is PyTorch (bench/pytorch/golden_case.py) if it is installed, else heddle's own float64 reference
// if the case is small enough for it.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGolden } from '../../src/commands/jobs/verify/golden-case.ts';
import { trainGolden } from '../../src/commands/jobs/verify/golden-checks.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { msg } from '../../src/core/message.ts';
import { random } from '../../src/core/random.ts';
import { f32, i32, type Tensor } from '../../src/core/tensor.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { nodeFiles } from '../../src/host/node-files.ts';
import { initializeWeights } from '../../src/model/initialize-weights.ts';
import { parameterList, tensorsFromWeights } from '../../src/model/parameters.ts';
import { stepGraph } from './heddle-contestant.ts';

/** Settings of a case, named as in its config.json. */
export type CaseSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * What computed the expected results of a case; `none`: nothing, so only the losses of the contestants are
 * compared with each other.
 */
export type Reference = 'PyTorch' | 'float64' | 'none';

const defaults = {
  seed: 0,
  norm: 'post',
  activation: 'relu',
  positions: 'sinusoidal',
  tie: 'none',
  scale_embedding: true,
  layer_norm_eps: 1e-5,
  final_norm: true,
  output_bias: true,
  label_smoothing: 0,
  pad_id: 0,
  bos_id: 1,
  eos_id: 2,
  steps: 2,
  lr: 1e-3,
  beta1: 0.9,
  beta2: 0.98,
  eps: 1e-9,
  weight_decay: 0,
  clip_norm: 1,
  decode_len: 0,
} as const;

/**
 * Maximum number of floating-point operations of a step for which the float64 reference, about 0.2 GFLOP/s,
 * is used.
 */
const maxReferenceFlops = 5e9;

/**
 * Creates a case in `folder`/`name` with the PyTorch of `python`, or without PyTorch. Returns its reference.
 * Throws a HeddleError if PyTorch fails.
 */
export async function makeGolden(
  folder: string,
  name: string,
  settings: CaseSettings,
  python: string | undefined,
): Promise<Reference> {
  const partial = join(folder, `${name}.partial`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const write = (file: string, tensors: Record<string, Tensor>) =>
    writeFileSync(join(partial, `${file}.safetensors`), writeSafetensors(tensors));
  writeFileSync(join(partial, 'config.json'), JSON.stringify({ ...defaults, ...settings }, undefined, 1));
  write('batch', randomBatch({ ...defaults, ...settings }));
  write('weights', {});
  write('expected', {});
  const golden = await readGolden(nodeFiles(), partial);
  write('weights', randomWeights(golden.config));
  const reference = await writeExpected(partial, python, write);
  writeFileSync(join(partial, 'reference.txt'), `${reference}\n`);
  rmSync(join(folder, name), { recursive: true, force: true });
  renameSync(partial, join(folder, name));
  return reference;
}

async function writeExpected(
  folder: string,
  python: string | undefined,
  write: (file: string, tensors: Record<string, Tensor>) => void,
): Promise<Reference> {
  if (python) {
    const script = join(process.cwd(), 'bench', 'pytorch', 'golden_case.py');
    const { status, stderr, error } = spawnSync(python, [script, folder], { encoding: 'utf8' });
    if (status !== 0)
      throw new HeddleError(
        msg`golden_case.py failed in ${folder}: ${error?.message ?? stderr.trim().split('\n').pop()}`,
      );
    return 'PyTorch';
  }
  const golden = await readGolden(nodeFiles(), folder);
  if (makePlan(stepGraph(golden)).flops > maxReferenceFlops) return 'none';
  const { losses, gradNorm } = await trainGolden(golden, cpuEngine());
  write('expected', {
    losses: f32([losses.length], losses),
    loss: f32([1], losses.slice(0, 1)),
    grad_norm: f32([1], [gradNorm]),
  });
  return 'float64';
}

/** Finds a Python with PyTorch and safetensors: PYTHON, Debian's or the one on the PATH; else undefined. */
export function findPytorch(): string | undefined {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ['/usr/bin/python3', 'python3'];
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch, safetensors']).status === 0);
}

/** The reference of the case in a folder; undefined if this file did not create the case. */
export function referenceOf(folder: string): Reference | undefined {
  try {
    return readFileSync(join(folder, 'reference.txt'), 'utf8').trim() as Reference;
  } catch {
    return undefined;
  }
}

/** Initial weights, with noise on biases and norms: biases of 0 and scales of 1 would hide errors. */
function randomWeights(config: Parameters<typeof parameterList>[0]): Record<string, Tensor> {
  const list = parameterList(config);
  const weights = initializeWeights(config, list, 1);
  const noise = random(2);
  for (const { shape, offset } of list.all)
    if (shape.length === 1)
      for (let i = offset; i < offset + (shape[0] as number); i++)
        weights[i] = (weights[i] as number) + 0.1 * noise.normal();
  return tensorsFromWeights(list, weights);
}

/** Random ids. The first row fills the batch; each later row is shorter. */
function randomBatch(c: CaseSettings): Record<string, Tensor> {
  const [B, S, T, pad] = ['batch', 'src_len', 'tgt_len', 'pad_id'].map((name) => Number(c[name])) as [
    number,
    number,
    number,
    number,
  ];
  const r = random(3);
  const draw = (n: number, vocab: unknown) => Array.from({ length: n }, () => 3 + r.int(Number(vocab) - 3));
  const lengthOf = (b: number, longest: number) =>
    Math.max(1, longest - b * Math.max(1, Math.floor(longest / (B + 1))));
  const tensor = (rows: readonly number[][], width: number) =>
    i32(
      [B, width],
      rows.flatMap((row) => [...row, ...new Array<number>(width - row.length).fill(pad)]),
    );
  const rowNumbers = Array.from({ length: B }, (_, b) => b);
  const sources = rowNumbers.map((b) => draw(lengthOf(b, S), c.src_vocab));
  const targets = rowNumbers.map((b) => draw(lengthOf(b, T) - 1, c.tgt_vocab));
  return {
    src: tensor(sources, S),
    tgt_in: tensor(
      targets.map((ids) => [Number(c.bos_id), ...ids]),
      T,
    ),
    tgt_out: tensor(
      targets.map((ids) => [...ids, Number(c.eos_id)]),
      T,
    ),
  };
}
