// Tests of src/engine/graph/fewer-launches.ts: how many dispatches a token takes.

import { describe, expect, it } from 'vitest';
import { presetGraphs } from '../../../src/commands/jobs/preset-graphs.ts';
import { fuseRowSublayers } from '../../../src/engine/graph/fewer-launches.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import type { PresetName } from '../../../src/model/presets.ts';

/** The ops of the passes of a token, with the sublayers fused. */
async function tokenPasses(preset: PresetName, batch = 1, model: Partial<ModelOptions> = {}) {
  const shape = { batch, source: 32, target: 32 };
  const { graphs } = await presetGraphs({ preset, run: 'decoding', model, vocab: 8000, shape });
  for (const graph of graphs) fuseRowSublayers(graph);
  const [encoder, step] = graphs.map((graph) => makePlan(graph));
  return { encoder: encoder?.passes ?? [], ops: step?.passes.map(({ op }) => op) ?? [] };
}

const layer = ['row_self_attention', 'row_cross_attention', 'row_feed_forward'];

describe('row sublayers', () => {
  it.each([
    ['small', 2],
    ['mid', 3],
    ['base', 6],
  ] as const)('take 3 dispatches a layer in %s', async (preset, layers) => {
    const { ops } = await tokenPasses(preset);
    const all = Array.from({ length: layers }, () => layer).flat();
    expect(ops).toEqual(['cache_slots', 'embedding', ...all, 'row_logits', 'greedy_token']);
  });

  it('are used for up to 8 rows', async () => {
    expect((await tokenPasses('small', 8)).ops).toContain('row_logits');
    expect((await tokenPasses('small', 9)).ops).not.toContain('row_logits');
  });

  it('leave the encoder and other models as they are', async () => {
    const { encoder, ops } = await tokenPasses('firefox-tiny');
    expect([...encoder.map(({ op }) => op), ...ops].filter((op) => op.startsWith('row_self'))).toEqual([]);
    // Head widths that are no whole vectors.
    const odd = await tokenPasses('small', 1, { heads: 1, headWidth: 30 });
    expect(odd.ops).not.toContain('row_self_attention');
  });

  it('keep the norm of a pre-norm model apart from its sum', async () => {
    const { ops } = await tokenPasses('small', 1, { norm: 'pre' });
    expect(ops).toEqual(['cache_slots', 'embedding', ...layer, ...layer, 'row_logits', 'greedy_token']);
  });
});
