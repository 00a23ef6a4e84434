// Logits of models and of their exports in onnxruntime (Debian's python3-onnx and python3-onnxruntime), on
// padded batches.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { random } from '../../src/core/random.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import type { ModelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import { evaluationGraph } from '../../src/train/update/training-graphs.ts';

const python = '/usr/bin/python3';

/** Whether onnx_logits.py can run. */
export const hasOnnx =
  spawnSync(python, ['-c', 'import onnx, onnxruntime'], { stdio: 'ignore' }).status === 0;

/** Sources of two lengths, padded, and targets with their start token. */
export interface LogitCase {
  readonly source: readonly (readonly number[])[];
  readonly lengths: readonly number[];
  readonly target: readonly (readonly number[])[];
}

/** Random ids of a model that are none of its special tokens. */
export function logitCase({ srcVocab, tgtVocab, padId, startId, endId }: ModelConfig): LogitCase {
  const r = random(3);
  const draw = (size: number): number => {
    const id = r.int(size);
    return id === padId || id === startId || id === endId ? draw(size) : id;
  };
  const ids = (count: number, size: number) => Array.from({ length: count }, () => draw(size));
  return {
    source: [ids(5, srcVocab), [...ids(2, srcVocab), padId, padId, padId]],
    lengths: [5, 2],
    target: [ids(3, tgtVocab), ids(3, tgtVocab)].map((row) => [startId, ...row]),
  };
}

/** heddle's logits [B, T, V] in float64. */
export async function ownLogits(
  { config: c, weights }: SavedModel,
  logitCase: LogitCase,
): Promise<Float32Array> {
  const engine = cpuEngine();
  const [source, target] = [logitCase.source[0]?.length ?? 0, logitCase.target[0]?.length ?? 0];
  const shape = { batch: logitCase.source.length, source, target };
  const [program] = await engine.prepare([evaluationGraph(c, parameterList(c), shape, { logits: true })]);
  engine.write('weights', weights);
  writePositions(engine, c);
  const { inputs } = program!;
  inputs.src?.set(logitCase.source.flat());
  inputs.tgtIn?.set(logitCase.target.flat());
  inputs.tgtOut?.fill(c.endId);
  inputs.srcLens?.set(logitCase.lengths);
  inputs.tgtLens?.fill(target);
  return (await program!.run()).logits as Float32Array;
}

/**
 * Logits [B, T, V] of exported models in onnxruntime, after onnx.checker has accepted their files: of all
 * target tokens at once, and token by token with the cache.
 */
export function onnxLogits(
  folders: readonly string[],
  { source, lengths, target }: LogitCase,
  suffix = '',
): { whole: number[][][]; steps: number[][][] }[] {
  const script = resolve('tests/features/onnx/export/onnx_logits.py');
  const mask = source.map((row, b) => row.map((_, s) => Number(s < (lengths[b] ?? 0))));
  const input = JSON.stringify({ source, mask, target, suffix });
  const { status, stdout, stderr } = spawnSync(python, [script, ...folders], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(stderr.trim() && status ? stderr : '').toBe('');
  return JSON.parse(stdout);
}

/** Folder of the package onnxruntime-node with its library (290 MB, so not installed by default). */
export const ortNode = process.env.ONNXRUNTIME_NODE;

/** Logits [B, T, V] of exported models in onnxruntime-node. `options`: of the session. */
export function ortNodeLogits(
  folders: readonly string[],
  { source, lengths, target }: LogitCase,
  suffix = '',
  options = {},
): number[][][][] {
  const mask = source.map((row, b) => row.map((_, s) => Number(s < (lengths[b] ?? 0))));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('tests/features/onnx/export/onnxruntime-node.mjs'), ortNode ?? '', ...folders],
    {
      input: JSON.stringify({ source, mask, target, suffix, options }),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  );
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** The largest difference from expected logits, in units of the largest of these. */
export function logitDifference(logits: number[][][], expected: Float32Array): number {
  const scale = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return logits.flat(2).reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!) / scale), 0);
}
