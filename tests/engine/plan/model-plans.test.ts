// Plans of whole models: how close their memory is to the lower bound, the rules of WebGPU's usage scopes,
// and the print of a small one.

import { describe, expect, it } from 'vitest';
import { sourceGraph, stepGraph } from '../../../src/decode/decoding-graphs.ts';
import { shaderOf } from '../../../src/engine/gpu/shaders.ts';
import type { Graph } from '../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { variantsOf } from '../../../src/engine/ops/op-nodes.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { printPlan } from '../../../src/engine/plan/plan.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { type PresetName, presets } from '../../../src/model/presets.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import {
  evaluationGraph,
  type GraphOptions,
  trainingGraph,
} from '../../../src/train/update/training-graphs.ts';

const adamw = optimizerConfig();

function graphOf(
  name: PresetName,
  V: number,
  dropout: number,
  batch: number,
  source: number,
  target: number,
): Graph {
  const c = modelConfig({ ...presets[name], srcVocab: V, tgtVocab: V, dropout });
  return trainingGraph(c, parameterList(c), { batch, source, target }, adamw);
}

describe('memory of training plans', () => {
  const cases: [PresetName, number, number, number, number, number][] = [
    ['tiny', 500, 0.1, 32, 16, 20],
    ['small', 2000, 0.1, 64, 24, 24],
    ['small', 2000, 0, 16, 24, 17],
    ['mid', 8000, 0.1, 32, 48, 40],
    ['base', 8000, 0.1, 16, 64, 64],
    ['keras', 15000, 0.5, 64, 20, 20],
  ];
  for (const [name, V, dropout, batch, source, target] of cases)
    it(`of ${name}, batch ${batch} of ${source} and ${target}, is near the lower bound`, () => {
      const traits = { ...defaultTraits, maxBindingBytes: 2 ** 31 };
      const { bytes } = makePlan(graphOf(name, V, dropout, batch, source, target), { traits });
      const fixed = bytes.inputs + bytes.states;
      expect(bytes.peak / bytes.lowerBound).toBeLessThanOrEqual(1.15);
      // Memory of the slots only, without weights and inputs.
      expect(bytes.slots / (bytes.lowerBound - fixed)).toBeLessThanOrEqual(1.15);
    });
});

it("an evaluation of base binds no more than its widest layer: logits come in chunks, within WebGPU's own limits", () => {
  const c = modelConfig({ ...presets.base, srcVocab: 16000, tgtVocab: 16000 });
  const { passes } = makePlan(evaluationGraph(c, parameterList(c), { batch: 128, source: 32, target: 32 }));
  const largest = Math.max(...passes.flatMap(({ bind }) => Object.values(bind).map(({ bytes }) => bytes)));
  expect(largest).toBe(4 * 128 * 32 * c.feedForward);
});

/**
 * The configurations of the benchmark (bench/peers), whose batches have no dropout, on a CPU adapter and on a
 * GPU.
 */
describe('memory budgets of a training step', () => {
  const adapters = {
    software: { ...defaultTraits, maxBindingBytes: 2 ** 30, subgroups: true, minSubgroup: 8, software: true },
    gpu: {
      ...defaultTraits,
      maxBindingBytes: 2 ** 31,
      subgroups: true,
      minSubgroup: 32,
      maxWorkgroupBytes: 32768,
    },
  };
  // Vocabulary, rows, positions of a side, and the most dispatches: small and keras have fewer layers than
  // mid.
  const cases: [PresetName, number, number, number, number][] = [
    ['small', 2000, 16, 24, 150],
    ['mid', 8000, 16, 32, 150],
    ['keras', 15000, 64, 20, 150],
    ['base', 16000, 16, 32, 350],
  ];
  for (const [name, V, batch, length, most] of cases)
    it.each(Object.entries(adapters))(`hold for ${name} on %s`, (_, traits) => {
      const { passes, bytes } = makePlan(graphOf(name, V, 0, batch, length, length), { traits });
      expect(passes.length).toBeLessThanOrEqual(most);
      expect(bytes.peak / bytes.lowerBound).toBeLessThanOrEqual(1.15);
    });
});

/**
 * Floating-point operations of a forward pass, from the sizes of the model: 2 per multiply-add of the linear
 * layers and of attention, in which masked keys count.
 */
function forwardFlops(c: ModelConfig, B: number, S: number, T: number): number {
  const [I, J] = [c.heads * c.headWidth, c.decoderHeads * c.decoderHeadWidth];
  const encoder = B * S * (4 * c.dModel * I + 2 * c.dModel * c.feedForward + 2 * S * I);
  const self = B * T * (4 * c.dModel * J + 2 * T * J);
  const cross = B * T * (2 * c.dModel * J + 2 * S * J) + B * S * 2 * c.dModel * J;
  const decoder = self + cross + B * T * 2 * c.dModel * c.decoderFeedForward;
  return 2 * (c.encoderLayers * encoder + c.decoderLayers * decoder + B * T * c.dModel * c.tgtVocab);
}

describe('model FLOPs of plans', () => {
  const traits = { ...defaultTraits, maxBindingBytes: 2 ** 31 };
  const within = (counted: number, wanted: number) =>
    expect(Math.abs(counted / wanted - 1)).toBeLessThan(0.01);
  const cases: [PresetName, number, number, number, number][] = [
    ['tiny', 500, 32, 16, 20],
    ['small', 2000, 64, 24, 24],
    ['mid', 8000, 8, 512, 300],
    ['base', 8001, 16, 64, 64],
    ['keras', 15000, 64, 20, 20],
  ];
  for (const [name, V, batch, source, target] of cases)
    it(`of ${name} are those of its layers, three times as many in training`, () => {
      const c = modelConfig({ ...presets[name], srcVocab: V, tgtVocab: V, dropout: 0.1, maxLength: 512 });
      const [p, shape] = [parameterList(c), { batch, source, target }];
      const forward = forwardFlops(c, batch, source, target);
      within(makePlan(evaluationGraph(c, p, shape), { traits }).modelFlops, forward);
      const training = (options?: GraphOptions) =>
        makePlan(trainingGraph(c, p, shape, adamw, options), { traits }).modelFlops;
      within(training(), 3 * forward);
      // Neither fusion nor recomputation changes them.
      expect(training({ noFuse: ['linear-activation', 'loss-chunks'] })).toBe(training());
      expect(training({ gradientCheckpointing: true })).toBe(training());
    });

  it('of a decoding step are those of one position that attends to a full cache', () => {
    const c = modelConfig({ ...presets.small, srcVocab: 500, tgtVocab: 700 });
    const p = parameterList(c);
    const [batch, source, target] = [4, 32, 24];
    const sources = makePlan(sourceGraph(c, p, { batch, source, target })).modelFlops;
    const step = makePlan(stepGraph(c, p, { batch, source, target })).modelFlops;
    // All steps compute what the decoder does at once, on the keys of the sources that are projected only
    // once.
    within(sources + target * step, forwardFlops(c, batch, source, target));
  });

  it('of several variants are the same', () => {
    const graph = graphOf('tiny', 500, 0, 8, 16, 16);
    const kernelChoices = Object.fromEntries(
      graph.nodes.map((node) => [variantKey(node), variantsOf(node, defaultTraits).at(-1)?.name as string]),
    );
    expect(makePlan(graph, { kernelChoices }).modelFlops).toBe(makePlan(graph).modelFlops);
  });
});

/** Small configurations that between them use every option. */
const configs: Record<string, ModelOptions> = {
  plain: { srcVocab: 11, tgtVocab: 13, dModel: 12, heads: 2, feedForward: 20 },
  'dropout and sharing': {
    srcVocab: 11,
    tgtVocab: 11,
    dModel: 16,
    heads: 2,
    feedForward: 20,
    dropout: { embedding: 0.1, attention: 0.1, feedForward: 0.1, residual: 0.1, output: 0.1 },
    tie: 'all',
    positions: 'learned',
    labelSmoothing: 0.1,
  },
  'pre-norm': {
    srcVocab: 11,
    tgtVocab: 13,
    dModel: 10,
    heads: 1,
    feedForward: 7,
    norm: 'pre',
    activation: 'gelu',
    tie: 'target',
    outputBias: false,
    embeddingNorm: true,
    dropout: 0.1,
  },
  bare: {
    srcVocab: 11,
    tgtVocab: 13,
    dModel: 8,
    heads: 4,
    headWidth: 6,
    feedForward: 9,
    finalNorm: false,
    activation: 'silu',
  },
};

/** Every graph that the engine makes of a configuration. */
function graphsOf(options: ModelOptions): Record<string, Graph> {
  const c = modelConfig({ encoderLayers: 1, decoderLayers: 2, maxLength: 16, ...options });
  const p = parameterList(c);
  const shape = { batch: 3, source: 7, target: 5 };
  return {
    training: trainingGraph(c, p, shape, adamw, { logits: true }),
    'training, nothing fused': trainingGraph(c, p, shape, adamw, {
      noFuse: ['linear-activation', 'residual-norm', 'embedding-onto', 'norm-sums'],
    }),
    evaluation: evaluationGraph(c, p, shape, { logits: true }),
    source: sourceGraph(c, p, shape),
    step: stepGraph(c, p, shape),
  };
}

describe('usage scopes', () => {
  for (const [name, options] of Object.entries(configs))
    it(`hold for ${name}: no pass binds one buffer for writing and for anything else`, () => {
      const faults: string[] = [];
      for (const [kind, graph] of Object.entries(graphsOf(options))) {
        // Once with every first variant, then with every other one.
        for (let round = 0; round < 12; round++) {
          const kernelChoices: Record<string, string> = {};
          for (const node of graph.nodes) {
            const all = variantsOf(node, defaultTraits);
            kernelChoices[variantKey(node)] = all[round % all.length]!.name;
          }
          const plan = makePlan(graph, { kernelChoices });
          for (const pass of plan.passes) {
            const bindings = shaderOf(pass.shader).entries.get(pass.entry) ?? [];
            const uses = bindings.filter((b) => b.wgslType !== 'Params' && pass.bind[b.name]);
            for (const b of uses) {
              if (b.type !== 'storage') continue;
              const buffer = pass.bind[b.name]!.buffer;
              const twins = uses.filter((o) => o !== b && pass.bind[o.name]?.buffer === buffer);
              for (const t of twins.filter((o) => o.type !== 'storage' || overlap(pass.bind, o.name, b.name)))
                faults.push(
                  `${kind}: ${pass.scope} ${pass.op}:${pass.variant} ${pass.entry} writes ${b.name} and binds ${t.name} ` +
                    `in ${plan.buffers[buffer]?.name}`,
                );
            }
          }
        }
      }
      expect([...new Set(faults)]).toEqual([]);
    });
});

function overlap(
  bind: Readonly<Record<string, { offset: number; bytes: number }>>,
  a: string,
  b: string,
): boolean {
  const [p, q] = [bind[a]!, bind[b]!];
  return p.offset < q.offset + q.bytes && q.offset < p.offset + p.bytes;
}

describe('bindings', () => {
  it('start at multiples of 256 bytes and end within their buffers', () => {
    for (const options of Object.values(configs))
      for (const graph of Object.values(graphsOf(options))) {
        const plan = makePlan(graph);
        for (const pass of plan.passes)
          for (const range of Object.values(pass.bind)) {
            expect(range.offset % 256).toBe(0);
            expect(range.offset + range.bytes).toBeLessThanOrEqual(plan.buffers[range.buffer]!.bytes);
          }
      }
  });

  it('of a pass are all that its entry point declares, and its parameters too', () => {
    for (const options of Object.values(configs))
      for (const graph of Object.values(graphsOf(options)))
        for (const pass of makePlan(graph).passes) {
          const shader = shaderOf(pass.shader);
          const wanted = shader.entries
            .get(pass.entry)!
            .filter((b) => !['Params', 'Step', 'Table'].includes(b.wgslType));
          const given = [...Object.keys(pass.bind), ...(pass.absent ?? [])];
          expect(given).toEqual(expect.arrayContaining(wanted.map((b) => b.name)));
          expect(Object.keys(pass.params)).toEqual(expect.arrayContaining(shader.params.map((f) => f.name)));
        }
  });
});

describe('the print of a plan', () => {
  // Whoever changes a kernel or a rewrite sees here what it does to the passes: npx vitest run --project cpu
  // tests/engine/plan -u
  it('of an evaluation with one layer each equals small-plan.txt', async () => {
    const c = modelConfig({
      ...presets.tiny,
      srcVocab: 100,
      tgtVocab: 120,
      encoderLayers: 1,
      decoderLayers: 1,
    });
    const graph = evaluationGraph(c, parameterList(c), { batch: 4, source: 8, target: 6 });
    await expect(printPlan(makePlan(graph))).toMatchFileSnapshot('small-plan.txt');
  });
});

it.each(['f16', 'f32'] as const)(
  'offers subgroup matrices of f16 to each product of a training in %s, or to none',
  (precision) => {
    const c = modelConfig({ ...presets.small, srcVocab: 800, tgtVocab: 800 });
    const graph = trainingGraph(c, parameterList(c), { batch: 16, source: 32, target: 32 }, adamw, {
      precision,
    });
    const matrices = [{ operands: 'f16', m: 16, n: 16, k: 16, lanes: 32 }] as const;
    const traits = { ...defaultTraits, f16: true, matrices };
    const products = graph.nodes.filter(({ op }) => op.modelFlops && op.name.startsWith('linear'));
    const offered = products.map((node) =>
      variantsOf(node, traits).some((variant) => variant.family === 'matrix'),
    );
    expect(offered.length).toBeGreaterThan(20);
    expect(new Set(offered)).toEqual(new Set([precision === 'f16']));
  },
);
