// What a training run needs to continue in PyTorch, beside the files of its checkpoint: the scripts, torch-run.json, which
// describes model and updates, and the tokenized pairs with their order in the remaining updates.

import { check } from '../../core/errors.ts';
import { jsonBytes } from '../../files/json-files.ts';
import { writeSafetensors } from '../../files/safetensors.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Batches } from '../../text/batches/batches.ts';
import type { EncodedCorpus, RaggedRows } from '../../text/batches/encoded-corpus.ts';
import type { TrainableParameters } from '../../trainer/trainable-parameters.ts';
import type { Recipe } from '../../trainer/trainer.ts';
import checkpointScript from './checkpoint.py?raw';
import continueScript from './continue.py?raw';
import transformerScript from './transformer.py?raw';

/** `format` of torch-run.json. */
export const torchRunFormat = 'heddle-torch-run';

/** A run at update `firstStep`, with the data of all updates before `lastStep`. */
export interface TorchRun {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly trainable: TrainableParameters;
  readonly recipe: Recipe;
  readonly corpus: EncodedCorpus;
  readonly batches: Batches;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Fields of the record that begins a session in the log; the script adds time, steps and backend. */
  readonly log: Readonly<Record<string, unknown>>;
}

/** Numbers in a shard. */
const shardSize = 2 ** 24;

/** Returns the files by path. Throws a HeddleError if a LoRA adapter is trained. */
export function torchRunFiles(run: TorchRun): Record<string, Uint8Array> {
  const { config, parameters, trainable, recipe, corpus, batches, firstStep, lastStep, log } = run;
  check(trainable.state === 'weights', 'torch-run: a LoRA adapter cannot be trained in PyTorch; train all weights');
  const { optimizer, schedule, seed, gradientAccumulationSteps } = recipe;
  const trained = new Set(trainable.parameters.all.map(({ name }) => name));
  const plan = {
    format: torchRunFormat,
    version: 1,
    firstStep,
    lastStep,
    model: config,
    parameters: parameters.all.map(({ name, shape, decay, stored }) => ({
      ...{ name, shape, tensor: stored.name, row: stored.row, rows: stored.rows },
      trained: trained.has(name),
      decay: decay || optimizer.decayAll,
    })),
    ...{ optimizer, schedule, seed, gradientAccumulationSteps, batchesPerEpoch: batches.perEpoch },
    startId: corpus.targetSpecial.start,
    endId: corpus.targetSpecial.end,
    padId: config.padId,
    log,
  };
  return {
    'torch-run.json': jsonBytes(plan),
    'continue.py': new TextEncoder().encode(continueScript),
    'checkpoint.py': new TextEncoder().encode(checkpointScript),
    'transformer.py': new TextEncoder().encode(transformerScript),
    ...shards('source', corpus.source),
    ...shards('target', corpus.target),
    ...shards('rows', orderOf(run)),
  };
}

/** The corpus rows of the batches of all updates from `firstStep` to `lastStep`: a row of numbers for each batch. */
function orderOf({ batches, recipe, firstStep, lastStep }: TorchRun): RaggedRows {
  const count = recipe.gradientAccumulationSteps;
  const rows = Array.from({ length: (lastStep - firstStep) * count }, (_, i) =>
    batches.rowsAt(firstStep * count + i).slice(),
  );
  const starts = new Uint32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) starts[i + 1] = (starts[i] as number) + row.length;
  const ids = new Uint32Array(starts.at(-1) ?? 0);
  for (const [i, row] of rows.entries()) ids.set(row, starts[i]);
  return { ids, starts };
}

/** Safetensors of rows of numbers: tensors NAME, all numbers, and NAME_lengths. */
function shards(name: string, { ids, starts }: RaggedRows): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const count = starts.length - 1;
  const startOf = (row: number) => starts[row] as number;
  for (let first = 0, last = 0; first < count; first = last) {
    for (last = first + 1; last < count && startOf(last + 1) - startOf(first) <= shardSize; ) last++;
    const lengths = Int32Array.from({ length: last - first }, (_, i) => startOf(first + i + 1) - startOf(first + i));
    const data = Int32Array.from(ids.subarray(startOf(first), startOf(last)));
    files[`data/${name}-${String(Object.keys(files).length).padStart(5, '0')}.safetensors`] = writeSafetensors({
      [name]: { dtype: 'i32', shape: [data.length], data },
      [`${name}_lengths`]: { dtype: 'i32', shape: [lengths.length], data: lengths },
    });
  }
  return files;
}
