// Recomputing layers in the backward pass: the same gradients to the bit, dropout included, in less memory.

import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import type { Value } from '../../../src/engine/ops/op.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { loraConfig } from '../../../src/model/lora.ts';
import { type ModelOptions, modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { presets } from '../../../src/model/presets.ts';
import { quantizedParameters } from '../../../src/model/quantized-parameters.ts';
import { optimizerConfig } from '../../../src/train/update/optimizer-config.ts';
import { gradientGraph, trainingGraph } from '../../../src/train/update/training-graphs.ts';
import { gradientsOf } from '../../support/gradients.ts';
import { dot, scale, times } from '../../support/toys.ts';

const shape = { batch: 3, source: 5, target: 4 };

describe('a part that is recomputed', () => {
  it('is copied once, without what no gradient reads, just before its gradients', () => {
    const graph = new Graph();
    const [x, w] = ['x', 'w'].map((name) => graph.input(name, 'f32', [3])) as [Value, Value];
    const inside = graph.scope('part', () => {
      const double = scale(graph, x, 2);
      return scale(graph, times(graph, double, double), 3);
    });
    const loss = dot(graph, times(graph, inside, inside), w);
    const forward = graph.nodes.length;
    gradients(graph, loss, [x], (node) => (node.scope === 'part' ? 'part' : undefined));
    const added = graph.nodes.slice(forward);
    // The last scale and the product are not needed again: their gradients read what goes into them.
    expect(added.filter((n) => n.scope.endsWith('.again')).map((n) => n.op.name)).toEqual(['scale']);
    const copy = added.find((n) => n.scope === 'part.again')!.outputs[0]!;
    const first = graph.nodes[0]!.outputs[0]!;
    expect(added.filter((n) => n.inputs.includes(copy))).not.toEqual([]);
    expect(added.filter((n) => n.inputs.includes(first))).toEqual([]);
  });
});

describe('layers that are recomputed', () => {
  const models: Record<string, Partial<ModelOptions>> = {
    'post-norm with dropout': { dropout: 0.3, encoderLayers: 2 },
    'pre-norm with dropout': { norm: 'pre', dropout: 0.3, decoderLayers: 2 },
  };
  for (const [name, options] of Object.entries(models))
    it(`give the same gradients to the bit: ${name}`, async () => {
      const kept = await gradientsOf(cpuEngine(), options, shape, {});
      const again = await gradientsOf(cpuEngine(), options, shape, { gradientCheckpointing: true });
      expect(again.graph.nodes.length).toBeGreaterThan(kept.graph.nodes.length);
      expect(again.bits).toEqual(kept.bits);
      expect(again.bits.some((x) => x !== 0)).toBe(true);
    });

  it('use the same dropout masks: each copy has the site of its original', () => {
    const c = modelConfig({ ...presets.tiny, srcVocab: 20, tgtVocab: 20, dropout: 0.1 });
    const { graph } = gradientGraph(c, parameterList(c), shape, { gradientCheckpointing: true });
    const sites = (again: boolean) =>
      new Set(
        graph.nodes
          .filter(
            (n) =>
              n.scope.endsWith('.again') === again &&
              typeof n.attrs.site === 'number' &&
              n.outputs.length > 1,
          )
          .map((n) => n.attrs.site),
      );
    expect(sites(true).size).toBeGreaterThan(3);
    for (const site of sites(true)) expect(sites(false)).toContain(site);
  });

  // The stored tensors of a layer fall from a dozen to two, but logits and one whole layer remain.
  for (const [preset, share] of [
    ['mid', 0.6],
    ['base', 0.3],
  ] as const)
    it(`need at most ${share} of the memory for activations: ${preset}`, () => {
      const c = modelConfig({ ...presets[preset], srcVocab: 8000, tgtVocab: 8000 });
      const bytes = (gradientCheckpointing: boolean) => {
        const sizes = { batch: 32, source: 32, target: 32 };
        return makePlan(
          trainingGraph(c, parameterList(c), sizes, optimizerConfig(), { gradientCheckpointing }),
        ).bytes;
      };
      const [kept, again] = [bytes(false), bytes(true)];
      expect(again.peak).toBeLessThan(kept.peak);
      expect(again.slots / kept.slots).toBeLessThan(share);
    });

  it('need less than 400 MiB for a LoRA adapter of an int8 MarianMT of 77 million parameters, without a flag', () => {
    const sizes = {
      dModel: 512,
      heads: 8,
      encoderLayers: 6,
      decoderLayers: 6,
      feedForward: 2048,
      maxLength: 512,
    };
    const c = modelConfig({
      ...sizes,
      srcVocab: 58101,
      tgtVocab: 58101,
      tie: 'all',
      activation: 'silu',
      dropout: 0.1,
    });
    const p = quantizedParameters(parameterList(c), 'int8');
    const graph = trainingGraph(c, p, { batch: 32, source: 32, target: 32 }, optimizerConfig(), {
      lora: loraConfig({ rank: 8 }),
    });
    const again = graph.nodes.filter((n) => n.scope.endsWith('.again')).map((n) => n.op.name);
    expect(again).toEqual(new Array(12).fill('packed_linear'));
    expect(makePlan(graph).bytes.peak / 2 ** 20).toBeLessThan(400);
  });
});
