// Tests of src/engine/graph/fewer-training-launches.ts: how many dispatches a training step takes.

import { describe, expect, it } from 'vitest';
import { presetGraphs } from '../../../src/commands/jobs/preset-graphs.ts';
import { fewestLaunches, fuseFasterNorms } from '../../../src/engine/gpu/launch-tuning.ts';
import type { Graph } from '../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { linearAddNormOp } from '../../../src/engine/ops/rows/linear-add-norm.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import type { PresetName } from '../../../src/model/presets.ts';

/** How often each op is dispatched in a training step, and all dispatches, with what can be fused. */
async function stepPasses(preset: PresetName, model: Partial<ModelOptions> = {}, batch = 32) {
  const shape = { batch, source: 32, target: 32 };
  const { graphs } = await presetGraphs({ preset, run: 'training', model, vocab: 8000, shape });
  const [graph] = graphs;
  if (!graph) throw new Error('no graph');
  const kernelChoices = fewestLaunches(graph, defaultTraits);
  const { passes } = makePlan(graph, { kernelChoices });
  const counts: Record<string, number> = {};
  for (const { op } of passes)
    counts[op.split(':')[0] as string] = (counts[op.split(':')[0] as string] ?? 0) + 1;
  return { counts, dispatches: passes.length };
}

describe('a launch-bound training step', () => {
  it('of mid takes at most 110 dispatches', async () => {
    const { counts, dispatches } = await stepPasses('mid');
    expect(dispatches).toBeLessThanOrEqual(110);
    expect(counts).toMatchObject({
      linear_add_norm: 15,
      self_attention_backward: 6,
      cross_attention_backward: 3,
      projected_loss: 3,
    });
    expect(counts.add_layer_norm).toBeUndefined();
  });

  it('is shorter with dropout, pre-norm and RMSNorm too', async () => {
    for (const model of [{ dropout: 0.1 }, { norm: 'pre' }, { normType: 'rms' }] as Partial<ModelOptions>[])
      expect((await stepPasses('mid', model)).counts.linear_add_norm, JSON.stringify(model)).toBeGreaterThan(
        10,
      );
  });

  it('leaves what does not fit as it is', async () => {
    // Rows of 1,024 numbers, and the kept input of GELU.
    const { counts } = await stepPasses('small', { dModel: 1024 }, 2);
    expect(counts.linear_add_norm).toBeUndefined();
    const gelu = await stepPasses('small', { activation: 'gelu' });
    expect(gelu.counts.linear_add_norm).toBe(10);
  });
});

describe('the choice of fused norms by measured time', () => {
  const mid = { preset: 'mid', run: 'training', model: {}, vocab: 8000 } as const;
  const graphOf = async () => {
    const { graphs } = await presetGraphs({ ...mid, shape: { batch: 32, source: 32, target: 32 } });
    return graphs[0] as Graph;
  };
  const chosen = (candidates: Graph, name: string) =>
    Object.fromEntries(candidates.nodes.map((node) => [variantKey(node), name]));
  const dispatches = (graph: Graph) => {
    const nodes = graph.nodes.filter(({ op }) => op === linearAddNormOp);
    const kernelChoices = Object.fromEntries(nodes.map((node) => [variantKey(node), 'fused']));
    return makePlan(graph, { kernelChoices }).passes.length;
  };

  it('leaves the graph as it is where the parts are faster', async () => {
    const [graph, plain] = [await graphOf(), await graphOf()];
    expect(await fuseFasterNorms(graph, {}, async (all) => chosen(all, 'parts'))).toBe(false);
    expect(makePlan(graph)).toEqual(makePlan(plain));
  });

  it('takes those that are faster, and one chunk of the loss if all are', async () => {
    const plain = dispatches(await graphOf());
    const all = await graphOf();
    expect(await fuseFasterNorms(all, {}, async (g) => chosen(g, 'fused'))).toBe(true);
    expect(dispatches(all)).toBe(plain - 15 - 13 - 3);
    const some = await graphOf();
    const isWide = (node: Node) => node.attrs.nextColumns === 1024;
    await fuseFasterNorms(some, {}, async ({ nodes }) =>
      Object.fromEntries(nodes.map((node) => [variantKey(node), isWide(node) ? 'fused' : 'parts'])),
    );
    expect(dispatches(some)).toBe(plain - 2 * some.nodes.filter(isWide).length);
  });

  it('asks the kernels of the checkpoint of a run that is resumed', async () => {
    const first = await graphOf();
    await fuseFasterNorms(first, {}, async (g) => chosen(g, 'fused'));
    const settled = chosen(first, 'fused');
    const measure = () => Promise.reject(new Error('must not measure'));
    const resumed = await graphOf();
    await fuseFasterNorms(resumed, settled, measure);
    expect(dispatches(resumed)).toBe(dispatches(first));
    const plain = await graphOf();
    expect(await fuseFasterNorms(plain, chosen(await graphOf(), 'tiled-64x64'), measure)).toBe(false);
  });
});
