// The files that a training run needs to continue in PyTorch, in addition to its checkpoint: the scripts,
// torch-run.json with the configuration of model and training, and the tokenized pairs. Their order in the
// remaining updates is stored too.

import { toFloat16 } from '../../../core/float16.ts';
import { sizeOf } from '../../../core/tensor.ts';
import { int4Rows, int8Rows, isInt4 } from '../../../engine/ops/matmul/packed-weights.ts';
import { jsonBytes, withoutUndefined } from '../../../files/json-files.ts';
import { type WritableTensor, writeSafetensors } from '../../../files/write-safetensors.ts';
import { loraFileNames } from '../../../formats/lora-files.ts';
import { ordinaryFields, requireFields } from '../../../formats/shared/requirements.ts';
import { type LoraConfig, loraTargets, loraTensorName } from '../../../model/lora.ts';
import type { DropoutRates, ModelConfig } from '../../../model/model-config.ts';
import type { ParameterList } from '../../../model/parameter-layout.ts';
import {
  storedParameters,
  type WeightReader,
  type WeightStorage,
} from '../../../model/quantized-parameters.ts';
import type { Batches } from '../../../text/batches/batches.ts';
import type { BatchShape } from '../../../text/batches/buckets.ts';
import type { EncodedCorpus, RaggedRows, VectorRow } from '../../../text/batches/encoded-corpus.ts';
import type { ScheduleConfig } from '../../../train/update/schedule.ts';
import type { TrainableParameters } from '../../../train/update/trainable-parameters.ts';
import type { UpdateConfig } from '../../../train/update/trainer-graphs.ts';
import checkpointScript from './checkpoint.py?raw';
import continueScript from './continue.py?raw';
import framesScript from './frames.py?raw';
import optimizerScript from './optimizer.py?raw';
import transformerScript from './transformer.py?raw';

/** `format` of torch-run.json. */
const torchRunFormat = 'heddle-torch-run';

/** Settings from update `step` on; `change`: what changed then, as the log records it. */
export interface TorchSettings {
  readonly step: number;
  readonly schedule: ScheduleConfig;
  readonly dropout: DropoutRates;
  readonly change?: Readonly<Record<string, number>>;
}

/** A LoRA adapter that is trained, and the frozen weights under it with their storage. */
export interface TorchLora {
  readonly config: LoraConfig;
  readonly base: WeightReader;
  readonly storage: WeightStorage;
}

/** A run at update `firstStep`, with the data of all updates before `lastStep`. */
export interface TorchRun {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  readonly trainable: TrainableParameters;
  readonly recipe: UpdateConfig;
  readonly corpus: EncodedCorpus;
  readonly shapes: readonly BatchShape[];
  readonly batches: Batches;
  /** Settings of masks by name, if the source is frames. */
  readonly masks?: Readonly<Record<string, unknown>>;
  readonly firstStep: number;
  readonly lastStep: number;
  /** The settings at `firstStep`, then those after each later change. */
  readonly settings: readonly TorchSettings[];
  /** If a LoRA adapter is trained. */
  readonly lora?: TorchLora;
  /** Fields of the record that begins a session in the log; the script adds time, steps and backend. */
  readonly log: Readonly<Record<string, unknown>>;
}

/** Name of the file of the frozen weights under a LoRA adapter. */
const baseName = 'base.safetensors';

/** Maximum number of integers in a data file; a longer row has a file of its own. */
const shardSize = 2 ** 24;

/** Returns the files by path. */
export async function torchRunFiles(run: TorchRun): Promise<Record<string, Uint8Array>> {
  const { config, parameters, trainable, recipe, corpus, batches, firstStep, lastStep, settings, lora, log } =
    run;
  requireFields('torch-run', ordinaryFields(config));
  const { optimizer, seed, gradientAccumulationSteps } = recipe;
  const trained = new Set(trainable.parameters.all.map(({ name }) => name));
  const { sourceRows: frames } = corpus;
  const sources = frames ? frameShards(frames.rows) : shards('source', corpus.source);
  const data = {
    ...sources,
    ...shards('target', corpus.target),
    ...shards('rows', orderOf(run)),
  };
  const plan = {
    format: torchRunFormat,
    version: 1,
    firstStep,
    lastStep,
    model: config,
    weights: lora ? loraFileNames.weights : 'model.safetensors',
    lora: lora && loraPlan(config, lora.config),
    parameters: trainable.all.all.map(({ name, shape, decay, stored }) => ({
      name,
      shape,
      tensor: stored.name,
      row: stored.row,
      rows: stored.rows,
      trained: trained.has(name),
      decay: decay || optimizer.decayAll,
    })),
    optimizer,
    settings,
    seed,
    gradientAccumulationSteps,
    batchesPerEpoch: batches.perEpoch,
    startId: corpus.targetSpecial.start,
    endId: corpus.targetSpecial.end,
    padId: config.padId,
    frames: frames && {
      width: frames.width,
      perPosition: frames.perPosition,
      // A batch is padded to the first shape that its rows fit, as here: windows of a stem may reach into the padding.
      shapes: run.shapes.map(({ source, target }) => [source, target]),
      masks: run.masks,
    },
    data: Object.keys(data),
    log,
  };
  return withoutUndefined({
    'torch-run.json': jsonBytes(plan),
    'continue.py': new TextEncoder().encode(continueScript),
    'checkpoint.py': new TextEncoder().encode(checkpointScript),
    'frames.py': new TextEncoder().encode(framesScript),
    'optimizer.py': new TextEncoder().encode(optimizerScript),
    'transformer.py': new TextEncoder().encode(transformerScript),
    ...data,
    [baseName]: lora && (await baseFile(config, parameters, lora)),
  });
}

/** The layers of a LoRA adapter: rows `row` to `row + out - 1` of `weight` have the matrices `a` and `b`. */
function loraPlan(config: ModelConfig, { alpha, rank, dropout, targetModules }: LoraConfig) {
  const layers = loraTargets(config, targetModules).map((target) => ({
    weight: target.weight,
    row: target.row,
    out: target.out,
    a: loraTensorName(target, 'A'),
    b: loraTensorName(target, 'B'),
  }));
  return { scale: alpha / rank, dropout, layers };
}

/**
 * Safetensors of the frozen weights by parameter, as they are stored; integers of int8 and int4
 * have their scales in `NAME.scale`, one for a row or for each of its blocks of 32.
 */
async function baseFile(
  config: ModelConfig,
  parameters: ParameterList,
  { base, storage }: TorchLora,
): Promise<Uint8Array> {
  const { quantization } = storedParameters(config, storage, parameters.source);
  const tensors: Record<string, WritableTensor> = {};
  for (const parameter of parameters.all) {
    const { name, shape } = parameter;
    const values = await base.read(parameter, 0, sizeOf(shape));
    const format = quantization?.matrices.get(name)?.format;
    if (!format) tensors[name] = { dtype: 'F32', shape, data: values };
    else if (format === 'f16') tensors[name] = { dtype: 'F16', shape, data: toFloat16(values) };
    else {
      const { rows, scales } = isInt4(format)
        ? int4Rows(format, values, shape[1] ?? 1)
        : int8Rows(values, shape[1] ?? 1);
      const of = isInt4(format) ? [shape[0] ?? 1, scales.length / (shape[0] ?? 1)] : [scales.length];
      tensors[name] = { dtype: 'I8', shape, data: rows };
      tensors[`${name}.scale`] = { dtype: 'F32', shape: of, data: scales };
    }
  }
  return writeSafetensors(tensors);
}

/**
 * The corpus rows of the batches of all updates from `firstStep` to `lastStep`: a row of numbers for each
 * batch.
 */
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
const shards = (name: string, { ids, starts }: RaggedRows): Record<string, Uint8Array> =>
  shardFiles(
    name,
    Array.from(starts.subarray(1), (end, row) => end - (starts[row] as number)),
    (first, last) => {
      const data = Int32Array.from(ids.subarray(starts[first], starts[last]));
      return { [name]: { dtype: 'i32', shape: [data.length], data } };
    },
  );

/**
 * Safetensors of rows of frames: the numbers that each row stores, `frames_counts` with the number of its frames, and
 * `frames_fill` with the value of all later numbers of its frames.
 */
function frameShards(rows: readonly VectorRow[]): Record<string, Uint8Array> {
  const sizes = rows.map(({ data }) => data.length);
  return shardFiles('frames', sizes, (first, last) => {
    const part = rows.slice(first, last);
    const data = new Float32Array(sizes.slice(first, last).reduce((sum, size) => sum + size, 0));
    let at = 0;
    for (const { data: row } of part) {
      data.set(row, at);
      at += row.length;
    }
    const counts = Int32Array.from(part, ({ length }) => length);
    const fill = Float32Array.from(part, (row) => row.fill);
    return {
      frames: { dtype: 'F32', shape: [data.length], data },
      frames_counts: { dtype: 'i32', shape: [part.length], data: counts },
      frames_fill: { dtype: 'F32', shape: [part.length], data: fill },
    };
  });
}

/**
 * Files of rows of numbers, `lengths` of each: a file has as many rows as `shardSize` allows, the tensors that
 * `tensors` returns for rows `first` to `last - 1`, and NAME_lengths.
 */
function shardFiles(
  name: string,
  lengths: readonly number[],
  tensors: (first: number, last: number) => Record<string, WritableTensor>,
): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (let first = 0, last = 0; first < lengths.length; first = last) {
    let size = lengths[first] as number;
    for (last = first + 1; last < lengths.length && size + (lengths[last] as number) <= shardSize; last++)
      size += lengths[last] as number;
    const data = Int32Array.from(lengths.slice(first, last));
    files[`data/${name}-${String(Object.keys(files).length).padStart(5, '0')}.safetensors`] =
      writeSafetensors({
        ...tensors(first, last),
        [`${name}_lengths`]: { dtype: 'i32', shape: [data.length], data },
      });
  }
  return files;
}
