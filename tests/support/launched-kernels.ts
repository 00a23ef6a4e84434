// All kernels that ops launch: the passes of graphs that use each op, each variant, and rows of both kinds of
// width, for all kinds of devices.

import { graphOf } from '../../src/bench/kernel-case.ts';
import { kernelCases, smallKernelCases } from '../../src/bench/kernel-cases.ts';
import { chooseBeams } from '../../src/decode/beam-step.ts';
import {
  type DecodeMode,
  type DecodeShape,
  sourceGraph,
  stepGraph,
} from '../../src/decode/decoding-graphs.ts';
import { shrinkGraph } from '../../src/decode/shrink-graph.ts';
import type { KernelKey } from '../../src/engine/gpu/pipelines.ts';
import { multiplyAddOp } from '../../src/engine/gpu/roofs.ts';
import { probeKernel, rowsKernel } from '../../src/engine/gpu/subgroup-probe.ts';
import { storeAsF16 } from '../../src/engine/graph/f16-storage.ts';
import { addFiniteChecks } from '../../src/engine/graph/finite-checks.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import { selfAttention } from '../../src/engine/ops/attention/attention.ts';
import { attentionWeights } from '../../src/engine/ops/attention/attention-weights.ts';
import { relativePositionBias } from '../../src/engine/ops/attention/relative-position-bias.ts';
import { bestTokens } from '../../src/engine/ops/decoding/best-tokens.ts';
import { rulesSize, sampleToken, samplingSize } from '../../src/engine/ops/decoding/next-token.ts';
import { type DeviceTraits, defaultTraits } from '../../src/engine/ops/device-traits.ts';
import { columnSum } from '../../src/engine/ops/elementwise/column-sum.ts';
import { activation } from '../../src/engine/ops/elementwise/elementwise-ops.ts';
import { embeddingBackwardOp } from '../../src/engine/ops/embedding/embedding-backward.ts';
import { crossEntropy } from '../../src/engine/ops/loss/cross-entropy.ts';
import { linear } from '../../src/engine/ops/matmul/linear.ts';
import { matmul } from '../../src/engine/ops/matmul/matmul.ts';
import { packedLinear } from '../../src/engine/ops/matmul/packed-linear.ts';
import { scalesPerRow, wordsOf } from '../../src/engine/ops/matmul/packed-weights.ts';
import { softmax } from '../../src/engine/ops/norm/softmax.ts';
import { variantsOf } from '../../src/engine/ops/op-nodes.ts';
import { stepWords } from '../../src/engine/ops/step-scalars.ts';
import { variantKey } from '../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../src/engine/plan/planner.ts';
import { ensembleParameters } from '../../src/model/ensemble.ts';
import { loraConfig } from '../../src/model/lora.ts';
import { type ModelOptions, modelConfig } from '../../src/model/model-config.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { quantizedParameters } from '../../src/model/quantized-parameters.ts';
import { tokens } from '../../src/model/source-kind.ts';
import { optimizerConfig } from '../../src/train/update/optimizer-config.ts';
import {
  evaluationGraph,
  gradientAccumulationGraph,
  trainingGraph,
} from '../../src/train/update/training-graphs.ts';
import { type GuestKernels, guestKernels } from './guest-kernels.ts';

/** A kernel, the op that launches it, and the kind of device. */
export interface LaunchedKernel extends KernelKey {
  readonly op: string;
  readonly traits: DeviceTraits;
}

const device: DeviceTraits = { ...defaultTraits, maxBindingBytes: 2 ** 31, f16: true };

/**
 * Devices without subgroups, with the subgroups of software adapters, with subgroups and matrices of a GPU, and with
 * few registers.
 */
const devices: readonly DeviceTraits[] = [
  device,
  ...[4, 8].map((minSubgroup) => ({ ...device, subgroups: true, minSubgroup, software: true })),
  {
    ...device,
    subgroups: true,
    minSubgroup: 32,
    subgroupSize: 32,
    maxWorkgroupBytes: 32768,
    matrices: [
      { operands: 'f16', m: 16, n: 16, k: 16, lanes: 32 },
      { operands: 'f32', m: 8, n: 8, k: 8, lanes: 32 },
    ],
  },
  { ...device, subgroups: true, minSubgroup: 32, vendor: 'arm' },
];

/** Rows whose width is a multiple of four, and rows whose width is not. */
const widths: readonly ModelOptions[] = [
  {
    srcVocab: 20,
    tgtVocab: 24,
    dModel: 16,
    heads: 2,
    feedForward: 32,
    dropout: 0.1,
    positions: 'learned',
    tie: 'target',
  },
  {
    srcVocab: 11,
    tgtVocab: 11,
    keyBias: false,
    dModel: 10,
    heads: 1,
    feedForward: 7,
    dropout: 0.1,
    positions: 'learned',
    norm: 'pre',
    activation: 'gelu',
    tie: 'all',
  },
  // As T5, with an odd width.
  {
    srcVocab: 11,
    tgtVocab: 11,
    dModel: 10,
    heads: 2,
    headWidth: 3,
    feedForward: 7,
    dropout: 0.1,
    tie: 'all',
    norm: 'pre',
    normType: 'rms',
    feedForwardType: 'gated',
    positions: 'relative',
    biases: false,
  },
];

const modes: readonly DecodeMode[] = (['greedy', 'beam', 'sample'] as const).flatMap((method) =>
  [true, false].map((rules) => ({ method, rules, banned: 2 })),
);
function modelGraphs(options: ModelOptions, guest?: GuestKernels): Graph[] {
  const c = modelConfig({ encoderLayers: 1, decoderLayers: 1, maxLength: 16, ...options });
  const p = parameterList(c, guest?.sourceKind ?? tokens);
  const shape = { batch: 3, source: 7, target: 5 };
  const beams = { ...shape, beams: 2 };
  const lora = loraConfig({ rank: 2 });
  const mixed = trainingGraph(c, p, shape, optimizerConfig(), { precision: 'f16' });
  addFiniteChecks(mixed);
  const stepIn = (mode: DecodeMode, sizes: DecodeShape) =>
    stepGraph(
      c,
      p,
      sizes,
      mode,
      [],
      mode.method === 'beam' ? chooseBeams(sizes.beams ?? 1, mode) : undefined,
    );
  return [
    trainingGraph(c, p, shape, optimizerConfig()),
    mixed,
    trainingGraph(c, p, shape, optimizerConfig(), { lora, noFuse: ['linear-activation'] }),
    gradientAccumulationGraph(c, p, shape, { logitBytes: 64 }),
    ...(['f16', 'int8', 'int4'] as const).map((format) =>
      trainingGraph(
        c,
        quantizedParameters(p, format, () => format),
        shape,
        optimizerConfig(),
        { lora, logitBytes: 64 },
      ),
    ),
    evaluationGraph(c, p, shape),
    sourceGraph(c, p, shape),
    sourceGraph(c, p, { ...shape, cacheType: 'f16' }),
    stepIn({ method: 'beam', rules: false, banned: 0 }, { ...beams, cacheType: 'f16' }),
    ...modes.flatMap((mode) => [stepIn(mode, shape), stepIn(mode, beams)]),
    ...(['greedy', 'beam'] as const).flatMap((method) =>
      guest ? [stepIn({ method, rules: false, banned: 0, tokenRules: guest.tokenRules }, beams)] : [],
    ),
    stepGraph(c, ensembleParameters(c, [c], {}, p.source), shape),
    shrinkGraph(c, p, beams, { ...beams, batch: 2 }),
  ];
}

/** Ops and sizes that models do not use, on `rows` rows of `cols` numbers. */
function otherGraph(rows: number, cols: number): Graph {
  const g = new Graph();
  const input = (name: string, shape: readonly number[]) => g.input(name, 'f32', shape);
  const [x, w] = [input('x', [rows, cols]), input('w', [cols, cols])];
  const step = g.input('step', 'u32', [stepWords]);
  columnSum(g, x);
  columnSum(g, input('halves', [rows, 2 * cols]), 2);
  packedLinear(g, x, { format: 'f16', words: g.input('words', 'u32', [cols, wordsOf('f16', cols)]) });
  const halves = [input('x16', [rows, cols]), input('w16', [cols, cols])] as const;
  linear(g, ...halves, undefined, 'gelu');
  storeAsF16(g, halves);
  const y = softmax(g, activation(g, linear(g, x, w, undefined, 'gelu'), 'silu'));
  const targets = g.input('targets', 'i32', [rows]);
  const { nll } = crossEntropy(g, matmul(g, y, input('v', [cols, cols])), targets, step, { smoothing: 0.1 });
  gradients(g, nll, [x, w]);
  crossEntropy(g, input('logits', [rows, cols]), targets, step, { fused: true });
  const [tokens, rules] = [g.input('history', 'i32', [rows, 3]), g.input('rules', 'i32', [rulesSize(1)])];
  const next = { endId: 2, rules: true };
  bestTokens(g, g.state('beams', 'f32', [rows, 1, cols]), tokens, rules, step, { ...next, wanted: 2 });
  const random = { sampling: input('sampling', [samplingSize]), streams: g.input('streams', 'u32', [rows]) };
  sampleToken(g, g.state('samples', 'f32', [rows, 1, cols]), tokens, rules, step, random, next);
  const rowStart = g.input('rowStart', 'u32', [cols + 1]);
  const occurrences = g.input('occurrences', 'u32', [rows]);
  g.apply(embeddingBackwardOp, { dy: x, rowStart, occurrences, base: w }, { scale: 1, rate: 0, site: 0 });
  g.apply(multiplyAddOp, { x: input('chains', [64, 4]) }, { rounds: 1, a: 1, b: 1, chains: 4, fused: true });
  return g;
}

/** Products of one row, as decoding has them. */
function oneRowGraph(cols: number): Graph {
  const g = new Graph();
  const [x, w] = [g.input('x', 'f32', [1, cols]), g.input('w', 'f32', [cols, cols])];
  linear(g, x, w);
  const step = g.input('step', 'u32', [stepWords]);
  const y = linear(g, x, w, undefined, 'gelu');
  gradients(g, crossEntropy(g, y, g.input('targets', 'i32', [1]), step, {}).nll, [x, w]);
  for (const format of ['f16', 'int8', 'int4'] as const) {
    const words = g.input(format, 'u32', [cols, wordsOf(format, cols)]);
    const scales = {
      f16: () => undefined,
      int8: () => g.input('scales8', 'f32', [cols]),
      int4: () => g.input('scales4', 'u32', [cols, scalesPerRow(format, cols)]),
    };
    packedLinear(g, x, { format, words, scales: scales[format]() });
  }
  return g;
}

/** Self-attention with the relative position bias of T5, forward and backward. */
function biasedGraph(headWidth: number): Graph {
  const g = new Graph();
  const table = g.input('table', 'f32', [8, 2]);
  const bias = relativePositionBias(g, table, { maxDistance: 20, bidirectional: true });
  const qkv = g.input('qkv', 'f32', [2, 9, 6 * headWidth]);
  const [lens, step] = [g.input('lens', 'u32', [2]), g.input('step', 'u32', [stepWords])];
  const y = selfAttention(g, qkv, lens, step, { heads: 2, headWidth, causal: false }, bias);
  attentionWeights(g, qkv, qkv, lens, { heads: 2, headWidth, self: true }, bias);
  const targets = g.input('targets', 'i32', [18]);
  const { nll } = crossEntropy(g, y, targets, step, {});
  gradients(g, nll, [qkv, table]);
  return g;
}

/** Each kernel once for each kind of device that launches it. */
export function launchedKernels(): LaunchedKernel[] {
  const graphs = [
    ...[...kernelCases, ...smallKernelCases].map((kernel) => graphOf(kernel).graph),
    ...widths.flatMap((options) => modelGraphs(options)),
    ...guestKernels.flatMap((guest) => guest.options.flatMap((options) => modelGraphs(options, guest))),
    ...[8, 5].map(biasedGraph),
    ...[8, 5].map(oneRowGraph),
    ...[4, 7, 512, 515, 1028].flatMap((cols) => [8, 48, 700].map((rows) => otherGraph(rows, cols))),
  ];
  const found = new Map<string, LaunchedKernel>();
  for (const traits of devices)
    for (const graph of graphs) {
      const variants = graph.nodes.map((node) => variantsOf(node, traits).map(({ name }) => name));
      const rounds = Math.max(...variants.map((all) => all.length));
      for (let round = 0; round < rounds; round++) {
        const kernelChoices = Object.fromEntries(
          graph.nodes.map((node, n) => [variantKey(node), variants[n]?.at(round) ?? variants[n]?.[0] ?? '']),
        );
        for (const { op, shader, entry, constants, f16 } of makePlan(graph, { traits, kernelChoices })
          .passes) {
          const kernel: LaunchedKernel = { op, shader, entry, constants, f16, traits };
          found.set(JSON.stringify(kernel), kernel);
        }
      }
    }
  const probes = devices
    .filter(({ subgroups }) => subgroups)
    .flatMap((traits) => [
      { op: 'probe', ...probeKernel(traits.minSubgroup), traits },
      { op: 'probe', ...rowsKernel(32), traits },
    ]);
  return [...found.values(), ...probes];
}
