// Rewrites: each changes the graph but not its results, forward and backward, with and without dropout.

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { Graph, printGraph } from '../../../src/engine/graph/graph.ts';
import {
  checkRewriteNames,
  fuseBackward,
  fuseForward,
  rewriteNames,
} from '../../../src/engine/graph/rewrites.ts';
import { activation, add, dropout } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { crossEntropyOp } from '../../../src/engine/ops/loss/cross-entropy.ts';
import { linear } from '../../../src/engine/ops/matmul/linear.ts';
import { layerNorm } from '../../../src/engine/ops/norm/layer-norm.ts';
import type { Value } from '../../../src/engine/ops/op.ts';
import { stepWords } from '../../../src/engine/ops/step-scalars.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import {
  evaluationGraph,
  type GraphOptions,
  gradientGraph,
} from '../../../src/train/update/training-graphs.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { loadIds, randomIds, setStep, smallModel, startProgram } from '../../support/model.ts';
import { relativeError } from '../../support/op.ts';

const shape = { batch: 3, source: 5, target: 4 };
const configs: Record<string, Partial<ModelOptions>> = {
  'post-norm, tied embeddings': { tgtVocab: 19, tie: 'all', decoderLayers: 2 },
  'post-norm with dropout': { dropout: 0.3 },
  'pre-norm, gelu, tied embeddings with dropout': {
    norm: 'pre',
    activation: 'gelu',
    tie: 'target',
    dropout: 0.3,
  },
};

async function compute(options: Partial<ModelOptions>, noFuse: readonly string[]) {
  const model = smallModel(options);
  const { graph } = gradientGraph(model.c, model.p, shape, { noFuse, logits: true });
  const engine = cpuEngine();
  const program = await startProgram(engine, model, graph);
  const ids = randomIds(model.c, shape);
  loadIds(program, ids);
  setStep(program, ids);
  const { logits, stats } = await program.run();
  return { graph, logits: logits!, stats: stats!, gradients: (await engine.read('gradients')).data };
}

/** Nodes that read what no earlier node has made. */
function readTooEarly(g: Graph): string[] {
  const computed = new Set<Value>();
  const early: string[] = [];
  for (const node of g.nodes) {
    for (const v of node.inputs)
      if (v.kind === 'result' && !computed.has(v)) early.push(`${node.scope} ${node.op.name}: ${v.name}`);
    for (const v of node.outputs) computed.add(v);
  }
  return early;
}

describe('each rewrite', () => {
  for (const name of rewriteNames) {
    it(`${name} applies to some model, and can be switched off by its name`, () => {
      const changed = Object.values(configs).filter((options) => {
        const { c, p } = smallModel(options);
        const print = (noFuse: string[]) =>
          printGraph(gradientGraph(c, p, shape, { noFuse, logitBytes: 1 }).graph);
        return print([name]) !== print([]);
      });
      expect(changed.length).toBeGreaterThan(0);
    });

    for (const [title, options] of Object.entries(configs))
      it(`${name} does not change the results: ${title}`, async () => {
        const fused = await compute(options, []);
        const plain = await compute(options, [name]);
        expect(fused.graph.nodes.length).toBeLessThanOrEqual(plain.graph.nodes.length);
        // Float64 arithmetic in another order, read back as float32.
        for (const q of ['logits', 'stats', 'gradients'] as const)
          expect(relativeError(fused[q], plain[q])).toBeLessThan(2e-7);
      });
  }

  it('computes every value before it is read', () => {
    for (const options of Object.values(configs))
      for (const tie of ['none', 'target', 'all'] as const) {
        const { c, p } = smallModel({ ...options, tgtVocab: 19, tie, decoderLayers: 2, encoderLayers: 2 });
        expect(readTooEarly(gradientGraph(c, p, shape).graph)).toEqual([]);
      }
  });

  it('does not change the results if all of them are off', async () => {
    for (const options of Object.values(configs)) {
      const fused = await compute(options, []);
      const plain = await compute(options, rewriteNames);
      expect(plain.graph.nodes.length).toBeGreaterThan(fused.graph.nodes.length);
      for (const q of ['logits', 'stats', 'gradients'] as const)
        expect(relativeError(fused[q], plain[q])).toBeLessThan(2e-7);
    }
  });

  it('makes no difference to evaluation', async () => {
    const evaluate = async (noFuse: readonly string[], options: GraphOptions) => {
      const model = smallModel({ norm: 'pre', labelSmoothing: 0.1 });
      const graph = evaluationGraph(model.c, model.p, shape, { noFuse, ...options });
      const program = await startProgram(cpuEngine(), model, graph);
      const ids = randomIds(model.c, shape);
      loadIds(program, ids);
      setStep(program, ids);
      return { graph, outputs: await program.run() };
    };
    const [fused, plain, chunked] = [
      await evaluate([], { logits: true }),
      await evaluate(rewriteNames, { logits: true }),
      await evaluate([], { logitBytes: 1 }),
    ];
    expect(relativeError(fused.outputs.logits!, plain.outputs.logits!)).toBeLessThan(2e-7);
    for (const { outputs } of [fused, chunked])
      expect(relativeError(outputs.stats!, plain.outputs.stats!)).toBeLessThan(2e-7);
    expect(chunked.graph.nodes.map(({ op }) => op.name)).toContain('projected_loss');
    expect(plain.outputs.stats![1]).toBe(9); // tokens that count
  });
});

describe('names', () => {
  it('of rewrites are accepted, others rejected with the list', () => {
    expect(() => checkRewriteNames(rewriteNames)).not.toThrow();
    expect(() => checkRewriteNames(['linear-activation', 'magic'])).toThrow(
      errorAbout({ values: ['magic'] }),
    );
    expect(() => checkRewriteNames(['magic'])).toThrow(
      errorAbout({ values: ['magic', 'loss-chunks', 'linear-activation', 'residual-norm'] }),
    );
  });
});

describe('what must not be fused', () => {
  const D = 8;
  function parts() {
    const g = new Graph();
    const input = (name: string, shape: number[]) => g.input(name, 'f32', shape);
    return {
      g,
      x: input('x', [2, D]),
      r: input('r', [2, D]),
      w: input('w', [D, D]),
      gamma: input('gamma', [D]),
      beta: input('beta', [D]),
      step: g.input('step', 'u32', [stepWords]),
    };
  }
  const ops = (g: Graph) => g.nodes.map((n) => n.op.name);
  const fuse = (g: Graph) => {
    fuseForward(g);
    fuseBackward(g);
    return ops(g);
  };

  it('is a product with another reader', () => {
    const { g, x, w, r } = parts();
    const product = linear(g, x, w);
    g.output('y', activation(g, product, 'relu'));
    add(g, product, r);
    expect(fuse(g)).toContain('activation');
  });

  it('is a product that is an output itself', () => {
    const { g, x, w } = parts();
    const product = g.output('product', linear(g, x, w));
    g.output('y', activation(g, product, 'relu'));
    expect(fuse(g)).toContain('activation');
  });

  it('is a projection whose logsumexp has another reader', () => {
    const { g, x, w, step } = parts();
    const loss = g.apply(
      crossEntropyOp,
      { logits: linear(g, x, w), targets: g.input('t', 'i32', [2]), step },
      { smoothing: 0, fused: false },
    );
    const names = () => {
      fuseForward(g, [], 1);
      return ops(g);
    };
    g.output('lse', loss.lse!);
    expect(names()).toEqual(['linear', 'cross_entropy']);
    g.outputs.delete('lse');
    expect(names()).toEqual(['projected_loss']);
  });

  it('is a sum that is read before its norm', () => {
    const { g, x, r, gamma, beta } = parts();
    const sum = add(g, r, x);
    g.output('z', activation(g, sum, 'relu'));
    g.output('y', layerNorm(g, sum, gamma, beta, 1e-5));
    expect(fuse(g)).toEqual(['add', 'activation', 'layer_norm']);
  });

  const dropped = (use: (p: ReturnType<typeof parts>, d: Value) => void): string[] => {
    const p = parts();
    const d = dropout(p.g, p.x, p.step, { rate: 0.5, site: 0 });
    p.g.output('y', layerNorm(p.g, add(p.g, p.r, d), p.gamma, p.beta, 1e-5));
    use(p, d);
    return fuse(p.g);
  };

  it('is a dropout with another reader, or one that is an output itself', () => {
    expect(dropped(() => {})).not.toContain('dropout');
    expect(dropped(({ g }, d) => void activation(g, d, 'relu'))).toContain('dropout');
    expect(dropped(({ g }, d) => void g.output('dropped', d))).toContain('dropout');
  });

  it('is a dropout that is added to itself', () => {
    const { g, x, gamma, beta, step } = parts();
    const d = dropout(g, x, step, { rate: 0.5, site: 0 });
    g.output('y', layerNorm(g, add(g, d, d), gamma, beta, 1e-5));
    fuse(g);
    expect(readTooEarly(g)).toEqual([]);
  });

  it('is two equal ops of several outputs: they stay two', () => {
    const { g, x, gamma, beta } = parts();
    g.output('a', layerNorm(g, x, gamma, beta, 1e-5));
    g.output('b', layerNorm(g, x, gamma, beta, 1e-5));
    expect(fuse(g)).toEqual(['layer_norm', 'layer_norm']);
  });
});
