// LoRA adapters: gradients against finite differences, a merged model against one with a separate adapter,
// and layer names.

import { expect, it } from 'vitest';
import { random } from '../../src/core/random.ts';
import { createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { sinusoids } from '../../src/engine/ops/embedding/sinusoids.ts';
import { stepWords, writeStep } from '../../src/engine/ops/step-scalars.ts';
import { hfFamilies } from '../../src/formats/hf/hf-families.ts';
import { hfTypes } from '../../src/formats/shared/hf-types.ts';
import { linearLayers, loraConfig, loraParameters, loraTargets, mergeLora } from '../../src/model/lora.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { fillTokenIndex } from '../../src/text/batches/token-index.ts';
import { evaluationGraph, gradientGraph } from '../../src/train/update/training-graphs.ts';
import { errorAbout } from '../support/expect-error.ts';
import { expectAdapters } from '../support/family-adapters.ts';
import { gradientsOf } from '../support/gradients.ts';
import { smallHfConfig } from '../support/hf.ts';
import { randomIds, smallModel, smallT5 } from '../support/model.ts';
import { relativeError } from '../support/op.ts';

const shape = { batch: 2, source: 4, target: 3 };
const lora = loraConfig({
  rank: 2,
  alpha: 5,
  targetModules: ['*.q', '*.v', 'fc1', 'decoder.*.fc2', 'encoder_attn.out_proj'],
});

/** A graph of the small model with random weights on the references. */
function ready(make: typeof evaluationGraph | typeof gradientGraph, dropout = 0, adapters = true) {
  const { c, p } = smallModel();
  const own = { ...lora, dropout };
  const built = make(c, p, shape, { logits: true, lora: adapters ? own : undefined });
  const graph = 'graph' in built ? built.graph : built;
  const cpu = createCpuExecutor(graph);
  const r = random(8);
  const weights = Float64Array.from({ length: p.size }, () => 0.3 * r.normal());
  cpu.state('weights').set(weights);
  cpu.state('positions').set(sinusoids(c.maxLength, c.dModel, 'interleaved'));
  const list = loraParameters(c, own);
  const adapter = Float64Array.from({ length: list.size }, () => 0.5 * r.normal());
  if (adapters) cpu.state('lora').set(adapter);
  const ids = randomIds(c, shape);
  const step = new Uint32Array(stepWords);
  writeStep(step, { learningRate: 0, tokenWeight: 1, seed: 3, step: 2, keep: 0, position: 0 });
  const index = (side: 'src' | 'tgt', tokens: Int32Array, vocab: number) => {
    const [rowStart, occurrences] = [new Uint32Array(vocab + 1), new Uint32Array(tokens.length)];
    fillTokenIndex(rowStart, occurrences, tokens);
    return { [`${side}RowStart`]: rowStart, [`${side}Occurrences`]: occurrences };
  };
  const all: Record<string, ArrayLike<number>> = {
    ...ids,
    step,
    ...index('src', ids.src, c.srcVocab),
    ...index('tgt', ids.tgtIn, c.tgtVocab),
  };
  const inputs = Object.fromEntries(
    [...graph.inputs.keys()].map((name) => [name, all[name] as ArrayLike<number>]),
  );
  return { c, p, graph, cpu, weights, adapter, list, run: () => cpu.run(inputs) };
}

for (const dropout of [0, 0.3])
  it(`has the gradient of finite differences, with dropout of ${dropout}`, () => {
    const { cpu, list, adapter, run } = ready(gradientGraph, dropout);
    run();
    const analytic = cpu.state('gradients').slice();
    const h = 1e-5;
    // Some numbers of every tensor, the first and last among them.
    const places = list.all.flatMap(({ offset, shape: [rows = 0, cols = 0] }) =>
      [0, 1, Math.floor((rows * cols) / 2), rows * cols - 1].map((i) => offset + i),
    );
    const numeric = places.map((i) => {
      const at = (x: number) => {
        cpu.state('lora')[i] = x;
        return run().stats?.[0] ?? Number.NaN;
      };
      const slope = (at(adapter[i]! + h) - at(adapter[i]! - h)) / (2 * h);
      at(adapter[i]!);
      return slope;
    });
    expect(Math.max(...numeric.map(Math.abs))).toBeGreaterThan(0.1);
    // Central differences of h are good to h².
    expect(
      relativeError(
        places.map((i) => analytic[i]!),
        numeric,
      ),
    ).toBeLessThan(1e-6);
  });

it('gives the same logits merged into the weights as in separate layers', () => {
  const beside = ready(evaluationGraph, 0.3);
  const want = beside.run().logits!;
  const merged = ready(evaluationGraph, 0, false);
  const plain = merged.run().logits!;
  const before = Float32Array.from(beside.weights);
  const parameterBuffer = mergeLora(
    beside.c,
    parameterList(beside.c),
    before,
    lora,
    Float32Array.from(beside.adapter),
  );
  expect(before).toEqual(Float32Array.from(beside.weights));
  merged.cpu.state('weights').set(parameterBuffer);
  // Weights and adapter were rounded to float32, 6e-8 each.
  expect(relativeError(merged.run().logits!, want)).toBeLessThan(1e-5);
  expect(relativeError(plain, want)).toBeGreaterThan(0.01);
});

it('initializes B with zeros and A at random, so that the model does not change', () => {
  const { cpu, adapter, run } = ready(evaluationGraph);
  cpu.state('lora').fill(0);
  const same = run().logits!;
  expect(relativeError(same, ready(evaluationGraph, 0, false).run().logits!)).toBe(0);
  expect(adapter.some((x) => x !== 0)).toBe(true);
});

it('lists every linear layer with its rows, and those that globs match', () => {
  const { c } = smallModel();
  expect(linearLayers(c).map(({ name }) => name.replace('model.', '').replace('layers.0.', ''))).toEqual([
    ...['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.out_proj', 'fc1', 'fc2'].map(
      (n) => `encoder.${n}`,
    ),
    ...['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.out_proj'].map(
      (n) => `decoder.${n}`,
    ),
    ...['encoder_attn.q_proj', 'encoder_attn.k_proj', 'encoder_attn.v_proj', 'encoder_attn.out_proj'].map(
      (n) => `decoder.${n}`,
    ),
    'decoder.fc1',
    'decoder.fc2',
  ]);
  const rows = (glob: string) =>
    loraTargets(c, [glob]).map(({ weight, row, out }) => `${weight} ${row} ${out}`);
  expect(rows('encoder.*.v')).toEqual(['transformer.encoder.layers.0.self_attn.in_proj_weight 24 12']);
  expect(rows('encoder_attn.k_proj')).toEqual([
    'transformer.decoder.layers.0.multihead_attn.kv_proj.weight 0 12',
  ]);
  expect(loraTargets(c, ['*.q', '*.v'])).toHaveLength(6);
  expect(() => loraTargets(c, ['*.q', '*.qeury'])).toThrow(errorAbout({ area: 'lora', values: ['*.qeury'] }));
});

it('rejects values out of range', () => {
  for (const [options, expected] of [
    [{ rank: 0 }, { area: 'lora', values: [0] }],
    [{ rank: 1.5 }, { area: 'lora', values: [1.5] }],
    [
      { rank: 2, alpha: -1 },
      { area: 'lora', values: [-1] },
    ],
    [
      { rank: 2, dropout: 1 },
      { area: 'lora', values: [1] },
    ],
    [{ rank: 2, targetModules: [] }, { area: 'lora' }],
  ] as const)
    expect(() => loraConfig(options)).toThrow(errorAbout(expected));
});

const t5: Partial<ModelOptions> = { ...smallT5, encoderLayers: 2, decoderLayers: 2 };

it.each(hfTypes)(
  'adapts the layers of %s, is read from files of PEFT bit for bit, and gives the results of merged weights',
  (type) => {
    const c = smallHfConfig(type);
    return expectAdapters(c, parameterList(c), hfFamilies[type]);
  },
);

it('trains T5 with gradient checkpointing as without, dropout included', async () => {
  const own = loraConfig({ rank: 2, targetModules: ['*.q', '*.v', 'wo'], dropout: 0.1 });
  const plain = await gradientsOf(cpuEngine(), { ...t5, dropout: 0.1 }, shape, { lora: own });
  const again = await gradientsOf(cpuEngine(), { ...t5, dropout: 0.1 }, shape, {
    lora: own,
    gradientCheckpointing: true,
  });
  expect(again.graph.nodes.length).toBeGreaterThan(plain.graph.nodes.length);
  expect(again.bits).toEqual(plain.bits);
});
