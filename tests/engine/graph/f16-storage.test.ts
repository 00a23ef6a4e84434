// Which tensors are stored as f16, and how much memory that saves.

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import {
  f16WeightsState,
  storeResultsAsF16,
  storeWeightsAsF16,
} from '../../../src/engine/graph/f16-storage.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { add } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { linear, linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { layerNormOp } from '../../../src/engine/ops/norm/layer-norm.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { gradientGraph, trainingGraph } from '../../../src/train/update/training-graphs.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { gradientsOf } from '../../support/gradients.ts';
import { relativeError } from '../../support/op.ts';
import { scale } from '../../support/toys.ts';

const traits = { ...defaultTraits, f16: true };
const shape = { batch: 3, source: 5, target: 4 };

describe('a result', () => {
  it('becomes f16 only if its node and all its readers support it, and it is not an output', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [64]);
    const [passed, toyed, read, kept] = [add(g, x, x), add(g, x, x), add(g, x, x), add(g, x, x)];
    const end = add(g, add(g, passed, toyed), add(g, read, kept));
    scale(g, toyed, 2);
    g.output('read', read);
    g.place(kept, g.state('parameterBuffer', 'f32', [64]), 0);
    g.output('end', end);
    storeResultsAsF16(g);
    expect([passed, toyed, read, kept, end, x].map((v) => v.dtype)).toEqual([
      'f16',
      'f32',
      'f32',
      'f32',
      'f32',
      'f32',
    ]);
  });

  it('of f16 never takes the memory of one of f32, however small both are', () => {
    const g = new Graph();
    const x = g.input('x', 'f32', [8]);
    const wide = add(g, x, x);
    scale(g, wide, 2);
    const narrow = add(g, wide, x);
    g.output('end', add(g, add(g, narrow, x), x));
    storeResultsAsF16(g);
    expect([wide.dtype, narrow.dtype]).toEqual(['f32', 'f16']);
    const { passes, buffers } = makePlan(g, { traits });
    const adds = passes.filter((p) => p.op === 'add');
    expect(adds[1]).toMatchObject({ entry: 'add', f16: ['y'] });
    expect(buffers.length).toBeGreaterThan(2);
  });
});

describe('weights of products', () => {
  it('are read from copies that a run makes first; other ops and misaligned ones read the weights', () => {
    const g = new Graph();
    const parameterBuffer = g.state('weights', 'f32', [1024]);
    const [w, odd] = [
      g.slice(parameterBuffer, 'w', 128, [8, 16]),
      g.slice(parameterBuffer, 'odd', 320, [8, 8]),
    ];
    const gamma = g.slice(parameterBuffer, 'gamma', 512, [8]);
    const x = g.input('x', 'f32', [4, 16]);
    const { y } = g.apply(
      layerNormOp,
      { x: linear(g, linear(g, x, w), odd), gamma, beta: gamma },
      { eps: 1e-5 },
    );
    g.output('y', y);
    storeWeightsAsF16(g, parameterBuffer);
    expect(g.nodes.map((n) => n.op.name)).toEqual(['cast_weights', 'linear', 'linear', 'layer_norm']);
    expect(g.nodes[1]!.inputs[1]).toMatchObject({ dtype: 'f16', shape: [8, 16], at: { offset: 128 } });
    expect(g.nodes[2]!.inputs[1]).toBe(odd);
    expect(g.states.get(f16WeightsState)).toMatchObject({ dtype: 'f16', shape: [256] });
  });
});

describe('a graph in mixed precision', () => {
  const c = modelConfig({ ...presets.tiny, srcVocab: 24, tgtVocab: 24, dropout: 0.1 });
  const { graph } = gradientGraph(c, parameterList(c), shape, { precision: 'f16' });

  it('keeps statistics, losses, the gradients of weights and the weights in f32, all else in f16', () => {
    const wide = new Set(
      graph.nodes.flatMap(({ op, outputs, outputNames }) =>
        outputs.flatMap((v, i) => (v.dtype === 'f32' && !v.at ? [`${op.name}.${outputNames[i]}`] : [])),
      ),
    );
    expect([...wide].sort()).toEqual(
      [
        'add_layer_norm.stats',
        'cross_entropy.nll',
        'cross_entropy.hit',
        'layer_norm.stats',
        'cross_attention.lse',
        'self_attention.lse',
        'token_stats.stats',
      ].sort(),
    );
    for (const name of ['weights', 'gradients', 'counters'])
      expect(graph.states.get(name)!.dtype).toBe('f32');
  });

  it('is rejected on an adapter without shader-f16', () => {
    expect(() => makePlan(graph)).toThrow(
      errorAbout({ kind: 'unsupported', area: 'cast_weights (weights)', values: ['y'] }),
    );
  });

  it('can be tuned: a graph of one node has the types and the key of the node', () => {
    const node = graph.nodes.find((n) => n.op.name === linearOp.name) as Node;
    const alone = new Graph();
    alone.copy(
      node,
      node.inputs.map((v, i) => alone.input(`in${i}`, v.dtype, v.shape)),
    );
    expect(variantKey(alone.nodes[0]!)).toBe(variantKey(node));
    expect(variantKey(node)).toContain('f16');
  });

  it('has about the gradients of float32 on the references, which round as f16 does', async () => {
    const model = { dropout: 0.2, norm: 'pre', dModel: 16, feedForward: 32 } as const;
    const whole = await gradientsOf(cpuEngine(), model, shape, {});
    const half = await gradientsOf(cpuEngine(), model, shape, { precision: 'f16' });
    expect(half.bits).not.toEqual(whole.bits);
    // A dozen layers of kernels, each of which rounds to 11 bits.
    expect(relativeError(half.values, whole.values)).toBeLessThan(12 * 2 ** -11);
  });

  for (const preset of ['tiny', 'small', 'mid', 'base'] as const)
    it(`needs at most 60 % of the memory for activations: ${preset}`, () => {
      const m = modelConfig({ ...presets[preset], srcVocab: 8000, tgtVocab: 8000 });
      const sizes = { batch: 32, source: 32, target: 32 };
      const bytes = (precision: 'f32' | 'f16') =>
        makePlan(trainingGraph(m, parameterList(m), sizes, optimizerConfig(), { precision }), { traits })
          .bytes.slots;
      expect(bytes('f16') / bytes('f32')).toBeLessThan(0.6);
    });
});
