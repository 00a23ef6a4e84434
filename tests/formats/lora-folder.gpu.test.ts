// LoRA adapters in PEFT's format: one that Python wrote computes and trains as nn.Transformer in float64, and
// is saved unchanged; adapters that do not match are errors.

import { afterEach, expect, it } from 'vitest';
import { readGolden } from '../../src/commands/jobs/verify/golden-case.ts';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { writeStep } from '../../src/engine/ops/step-scalars.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { writeSafetensors } from '../../src/files/write-safetensors.ts';
import { isLoraFolder, loraBaseModel, loraFileNames } from '../../src/formats/lora-files.ts';
import { loadLora, loraFiles, withLora } from '../../src/formats/lora-folder.ts';
import type { SavedModel } from '../../src/formats/shared/saved-model.ts';
import { loraConfig, loraParameters, mergeLora } from '../../src/model/lora.ts';
import { parameterList, tensorsFromWeights } from '../../src/model/parameters.ts';
import { writePositions } from '../../src/model/positions.ts';
import { weightsFromTensors } from '../../src/model/weights-from-tensors.ts';
import { fillTokenIndices } from '../../src/text/batches/batches.ts';
import { fillLengths } from '../../src/text/batches/row-lengths.ts';
import { optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import {
  evaluationGraph,
  type GraphOptions,
  gradientGraph,
  inputArrays,
  trainingGraph,
} from '../../src/train/update/training-graphs.ts';
import { testEngine } from '../support/engine.ts';
import { errorAbout } from '../support/expect-error.ts';
import { fixtureFiles, goldenFolder } from '../support/golden.ts';
import { relativeError } from '../support/op.ts';

const folder = 'tests/fixtures/lora';
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

/** The golden case, the adapter for it, and what PyTorch computed. */
async function fixture() {
  const golden = await readGolden(fixtureFiles, goldenFolder('odd-post'));
  const adapter = await loadLora(fixtureFiles, folder, golden.config);
  const expected = readSafetensors(await fixtureFiles.read(`${folder}/expected.safetensors`));
  return { golden, c: golden.config, p: parameterList(golden.config), adapter, expected };
}
type Fixture = Awaited<ReturnType<typeof fixture>>;

/** A program with the weights, the adapter and the batch in it. */
async function ready(
  engine: Engine,
  { golden, c, p, adapter }: Fixture,
  make: (shape: Shape) => ReturnType<typeof evaluationGraph>,
  merge = false,
) {
  engines.push(engine);
  const [batch = 0, source = 0] = golden.source.shape;
  const target = golden.targetIn.shape[1]!;
  const [program] = await engine.prepare([make({ batch, source, target })]);
  const weights = weightsFromTensors(p, golden.weights);
  engine.write(
    'weights',
    merge ? mergeLora(c, parameterList(c), weights, adapter.lora, adapter.weights) : weights,
  );
  if (!merge) engine.write('lora', adapter.weights);
  writePositions(engine, c);
  const inputs = inputArrays(program!);
  const { src, tgtIn, tgtOut, srcLens, tgtLens, step } = inputs;
  src.set(golden.source.data);
  tgtIn.set(golden.targetIn.data);
  tgtOut.set(golden.targetOut.data);
  fillLengths(srcLens, src, source, c.padId, c.srcVocab, 'src');
  fillLengths(tgtLens, tgtIn, target, c.padId, c.tgtVocab, 'tgt');
  fillTokenIndices(inputs);
  const counted = Array.from(golden.targetOut.data).filter((id) => id !== c.padId).length;
  writeStep(step, { learningRate: 0.02, tokenWeight: 1 / counted, seed: 0, step: 0, keep: 0, position: 0 });
  return program!;
}
type Shape = Parameters<typeof evaluationGraph>[2];

it('gives the results and gradients of PyTorch, merged or not', async () => {
  const f = await fixture();
  const options: GraphOptions = { lora: f.adapter.lora, logits: true };
  const engine = await testEngine();
  const program = await ready(engine, f, (shape) => gradientGraph(f.c, f.p, shape, options).graph);
  const { logits, stats } = await program.run();
  // The limits that the project promises against PyTorch.
  expect(relativeError(logits!, f.expected.logits!.data)).toBeLessThan(1e-4);
  expect(stats![0]! / stats![1]!).toBeCloseTo(f.expected.loss!.data[0]!, 4);
  const gradients = tensorsFromWeights(
    loraParameters(f.c, f.adapter.lora),
    (await engine.read('gradients')).data,
  );
  expect(Object.keys(gradients)).toHaveLength(24);
  for (const [name, { data }] of Object.entries(gradients))
    expect(relativeError(data, f.expected[`grad.${name}`]!.data), name).toBeLessThan(1e-3);
  const merged = await ready(
    await testEngine(),
    f,
    (shape) => evaluationGraph(f.c, f.p, shape, { logits: true }),
    true,
  );
  expect(relativeError((await merged.run()).logits!, logits!)).toBeLessThan(1e-5);
});

it("trains with the updates of PyTorch's AdamW", async () => {
  const f = await fixture();
  const optimizer = optimizerConfig({ weightDecay: 0.01, clipNorm: 0.5 });
  for (const engine of [cpuEngine(), await testEngine()]) {
    const program = await ready(engine, f, (shape) =>
      trainingGraph(f.c, f.p, shape, optimizer, { lora: f.adapter.lora }),
    );
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { stats } = await program.run();
      losses.push(stats![0]! / stats![1]!);
    }
    expect(relativeError(losses, f.expected.losses!.data)).toBeLessThan(1e-4);
    expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.9);
  }
});

/** The fixture in files that can be written. */
async function copy(): Promise<Files> {
  const files = memoryFiles();
  for (const name of Object.values(loraFileNames))
    await files.write(`a/${name}`, await fixtureFiles.read(`${folder}/${name}`));
  return files;
}

it('saves the same tensors, and target_modules that PEFT reads', async () => {
  const { c, adapter } = await fixture();
  const files = memoryFiles();
  expect(await isLoraFolder(files, 'b')).toBe(false);
  for (const [name, bytes] of Object.entries(loraFiles(c, adapter, '../base')))
    await files.write(`b/${name}`, bytes);
  expect(await isLoraFolder(files, 'b')).toBe(true);
  const path = `b/${loraFileNames.weights}`;
  expect(readSafetensors(await files.read(path))).toEqual(
    readSafetensors(await fixtureFiles.read(`${folder}/${loraFileNames.weights}`)),
  );
  const config = JSON.parse(new TextDecoder().decode(await files.read(`b/${loraFileNames.config}`)));
  expect(config).toMatchObject({
    peft_type: 'LORA',
    r: 3,
    lora_alpha: 7.5,
    task_type: 'SEQ_2_SEQ_LM',
    bias: 'none',
  });
  // All queries and values; only some of the feed-forward layers.
  const layer = 'model.decoder.layers.1.fc2';
  expect(config.target_modules).toEqual(['model.encoder.layers.0.fc1', layer, 'q_proj', 'v_proj'].sort());
  expect(await loraBaseModel(files, 'b')).toBe('../base');
  const again = await loadLora(files, 'b', c);
  expect(again.weights).toEqual(adapter.weights);
});

it('loads the scale of rsLoRA, and float16', async () => {
  const { c, adapter } = await fixture();
  const files = await copy();
  const json = JSON.parse(new TextDecoder().decode(await files.read(`a/${loraFileNames.config}`)));
  await files.write(
    `a/${loraFileNames.config}`,
    new TextEncoder().encode(JSON.stringify({ ...json, use_rslora: true })),
  );
  const tensors = readSafetensors(await files.read(`a/${loraFileNames.weights}`));
  const half = Object.entries(tensors).map(([name, { shape, data }]) => [
    name,
    { dtype: 'f16', shape, data: Uint16Array.from(data, (x) => (x < 0 ? 0xbc00 : 0x3800)) } as const,
  ]);
  await files.write(`a/${loraFileNames.weights}`, writeSafetensors(Object.fromEntries(half)));
  const found = await loadLora(files, 'a', c);
  expect(found.lora.alpha).toBeCloseTo(7.5 * Math.sqrt(3), 12);
  // -1 and 0.5 in float16.
  expect(found.weights).toEqual(adapter.weights.map((x) => (x < 0 ? -1 : x > 0 ? 0.5 : 0)));
});

it('names the fields that it does not support', async () => {
  const { c } = await fixture();
  for (const [change, expected] of [
    [{ peft_type: 'IA3' }, { area: 'a/adapter_config.json', values: ['peft_type', '"IA3"'] }],
    [{ use_dora: true }, { area: 'a/adapter_config.json', values: ['use_dora', 'true'] }],
    [{ bias: 'all' }, { area: 'a/adapter_config.json', values: ['bias', '"all"'] }],
    [
      { modules_to_save: ['lm_head'] },
      { area: 'a/adapter_config.json', values: ['modules_to_save', '["lm_head"]'] },
    ],
    [{ rank_pattern: { fc1: 2 } }, { area: 'a/adapter_config.json', values: ['rank_pattern', '{"fc1":2}'] }],
    [{ r: 'x' }, { area: 'a/adapter_config.json' }],
    [{ r: 2 }, { area: 'a/adapter_model.safetensors', values: ['3,10', 2, 'adapter_config.json'] }],
    [{ r: 1e9 }, { area: 'a/adapter_model.safetensors', values: ['adapter_config.json'] }],
  ] as const) {
    const files = await copy();
    const json = JSON.parse(new TextDecoder().decode(await files.read(`a/${loraFileNames.config}`)));
    await files.write(
      `a/${loraFileNames.config}`,
      new TextEncoder().encode(JSON.stringify({ ...json, ...change })),
    );
    await expect(loadLora(files, 'a', c)).rejects.toThrow(errorAbout(expected));
  }
  const files = await copy();
  const other = { ...c, decoderLayers: 1 };
  await expect(loadLora(files, 'a', other)).rejects.toThrow(
    errorAbout({ area: 'a/adapter_model.safetensors', values: ['model.encoder.layers.0.self_attn.q_proj'] }),
  );
  await files.remove(`a/${loraFileNames.weights}`);
  await expect(loadLora(files, 'a', c)).rejects.toThrow(
    errorAbout({
      kind: 'not-found',
      area: 'a/adapter_model.safetensors',
      values: ['adapter_model.safetensors'],
    }),
  );
  expect(loraConfig({ rank: 3 })).toMatchObject({ alpha: 6, targetModules: ['*.q', '*.v'] });
});

it('says which base model an adapter was trained on, and rejects another', async () => {
  const { c, p, golden, adapter } = await fixture();
  const weights = weightsFromTensors(p, golden.weights);
  const files = memoryFiles();
  const saved = { ...adapter, baseFingerprint: fingerprintOf([weights]) };
  await writeFolder(files, 'adapter', loraFiles(c, saved, 'base'));
  const model = { config: c, weights } as SavedModel;
  await withLora(files, model, 'adapter');
  const other = { ...model, weights: weights.map((x) => 1.01 * x) };
  await expect(withLora(files, other, 'adapter')).rejects.toThrow(
    errorAbout({ area: 'adapter', values: ['adapter_config.json'] }),
  );
});
