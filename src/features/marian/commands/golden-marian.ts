// Golden cases of Marian: a model folder with a batch and the results of a reference in float64. -1 among the
// ids of the decoder is no token; the loss ignores labels of -100; ids after the end of a result are -1.

import {
  type GoldenCase,
  goldenOptimizer,
  idsIn,
  lengthsOf,
} from '../../../commands/jobs/verify/golden-case.ts';
import { checkGolden, type Row } from '../../../commands/jobs/verify/golden-checks.ts';
import type { GoldenReader } from '../../../commands/jobs/verify/golden-reader.ts';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { sizeOf, type Tensor } from '../../../core/tensor.ts';
import { baseName, type Files } from '../../../files/files.ts';
import { readSafetensors, readSafetensorsHeader } from '../../../files/safetensors.ts';
import { modelConfig } from '../../../model/model-config.ts';
import { parameterList, tensorsFromWeights } from '../../../model/parameters.ts';
import { loadMarian } from '../files/load-marian.ts';
import { transposed } from '../files/marian-items.ts';
import { marianTensors } from '../files/marian-tensors.ts';

const names = { batch: 'batch.safetensors', expected: 'expected.safetensors' } as const;

/** The model file with int8 matrices of a case that has one beside its float32 file. */
const int8Name = 'model.intgemm8.bin';

/** Golden cases of Marian. */
export const marianCases: GoldenReader = {
  read: async (files, folder) => (await readGoldenMarian(files, folder))[0],
  async check(files, folder, newEngine, cacheType) {
    const rows: Row[] = [];
    for (const [i, golden] of (await readGoldenMarian(files, folder)).entries())
      for (const [name, ...row] of await checkGolden(golden, newEngine, cacheType))
        rows.push([i > 0 ? `int8.${name}` : name, ...row]);
    return rows;
  },
};

/**
 * Reads a case: one of its float32 file, and one of its int8 file if it has both. Throws a HeddleError that
 * names the file and the problem.
 */
export async function readGoldenMarian(files: Files, folder: string): Promise<[GoldenCase, ...GoldenCase[]]> {
  const first = await readOne(files, folder);
  const ofInt8 = /^int8\.(?!inputs_too\.)/; // those of rounded inputs are for information
  const hasInt8 = Object.keys(first.expected).some((name) => ofInt8.test(name));
  if (!hasInt8 || !(await files.exists(`${folder}/${int8Name}`))) return [first];
  const second = await readOne(files, folder, int8Name);
  const expected = Object.fromEntries(
    Object.entries(first.expected).flatMap(([name, tensor]) =>
      ofInt8.test(name) ? [[name.slice('int8.'.length), tensor]] : [],
    ),
  );
  return [
    first,
    { ...second, name: `${second.name} int8`, expected, optimizer: { ...second.optimizer, steps: -1 } },
  ];
}

async function readOne(files: Files, folder: string, model?: string): Promise<GoldenCase> {
  const at = (name: string) => `${folder}/${name}`;
  const batch = readSafetensors(await files.read(at(names.batch)), at(names.batch));
  const bytes = await files.read(at(names.expected));
  const expected = readSafetensors(bytes, at(names.expected));
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, at(names.expected));
  const number = (field: string, fallback: number): number => {
    const value = Number(metadata[field] ?? fallback);
    check(Number.isFinite(value), msg`${field} is ${metadata[field]}, it must be a number`, {
      area: at(names.expected),
    });
    return value;
  };
  const ids = (name: string) => idsIn(batch, name, at(names.batch));
  const [source, mask] = [ids('input_ids'), ids('attention_mask')];
  const [targetIn, targetOut] = [ids('decoder_input_ids'), ids('labels')];
  const [B = 0, S = 0] = source.shape;
  const loaded = await loadMarian(files, folder, model);
  const config = modelConfig({ ...loaded.config, labelSmoothing: number('label_smoothing', 0) });
  const oldOutput =
    parameterList(config).byName.has('generator.weight') && isOldOutput(loaded.sourceCheckpoint?.config);
  const rules = {
    ...loaded.decode,
    lengthPenalty: { power: number('normalize', 1) },
    wordPenalty: number('word_penalty', 0),
    maxLengthFactor: number('max_length_factor', 2),
  };
  const beams = number('beam_size', 1);
  const longest = Math.max(1, Math.ceil(rules.maxLengthFactor * S));
  checkIds(at(names.batch), { input_ids: source, decoder_input_ids: targetIn, labels: targetOut }, config);
  return {
    name: baseName(folder),
    config,
    optimizer: goldenOptimizer(number, { beta2: 0.999, eps: 1e-8, clipNorm: 0, decayAll: false }),
    decodeLength: expected.greedy || expected['int8.greedy'] ? longest : 0,
    weights: tensorsFromWeights(parameterList(config), loaded.weights),
    source,
    targetIn,
    targetOut,
    expected,
    hf: {
      prefix: '',
      sourceLengths: lengthsOf(mask, B, S),
      targetLengths: targetLengths(targetOut),
      ignore: -100,
      decode: rules,
      filler: -1,
      hasStart: false,
      onlyLabels: true,
      isZero: (name) => name.endsWith('_bk'),
      tensors: (list, data) =>
        marianTensors(config, list, oldOutput).map(({ name, shape, at: from, isTransposed }) => {
          const own = data.subarray(from, from + sizeOf(shape)) as Float32Array;
          const [rows = 0, cols = 0] = shape;
          return [name, isTransposed ? transposed(own, cols, rows) : own];
        }),
      beam: expected.beam ? { method: 'beam', beams } : undefined,
    },
  };
}

const isOldOutput = (config: unknown): boolean =>
  (Object(config) as { marian?: { oldOutput?: boolean } }).marian?.oldOutput === true;

/** The places of each row up to the last that has a label. */
function targetLengths({ data, shape }: Tensor): Uint32Array {
  const [B = 0, T = 0] = shape;
  return Uint32Array.from({ length: B }, (_, b) => {
    let n = T;
    while (n > 0 && data[b * T + n - 1] === -100) n--;
    return n;
  });
}

/** Throws a HeddleError if an id is out of range. */
function checkIds(
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  { srcVocab, tgtVocab }: { srcVocab: number; tgtVocab: number },
): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    const vocab = name === 'input_ids' ? srcVocab : tgtVocab;
    const none = { input_ids: undefined, decoder_input_ids: -1, labels: -100 }[name];
    for (const id of data)
      check(
        (id >= 0 && id < vocab) || id === none,
        msg`${name} has the id ${id}; the vocabulary has ${vocab} tokens`,
        { area: path },
      );
  }
}
