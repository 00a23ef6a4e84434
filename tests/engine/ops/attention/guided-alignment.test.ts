// The gradient of guided alignment on the CPU, compared with finite differences of its loss; alone and beside another
// loss.
import { expect, it } from 'vitest';
import { createCpuExecutor } from '../../../../src/engine/cpu/executor.ts';
import { gradients } from '../../../../src/engine/graph/gradient.ts';
import { Graph } from '../../../../src/engine/graph/graph.ts';
import { weightedLossOp } from '../../../../src/engine/graph/weighted-loss.ts';
import { crossAttention } from '../../../../src/engine/ops/attention/attention.ts';
import { guidedAlignment } from '../../../../src/engine/ops/attention/guided-alignment.ts';
import { stepData, stepWords } from '../../../../src/engine/ops/step-scalars.ts';
import { randomTensor } from '../../../support/op.ts';

const [B, T, S, heads, headWidth] = [2, 3, 4, 2, 3];
const shapes = { q: [B, T, heads * headWidth], kv: [B, S, 2 * heads * headWidth] };
const data = {
  q: Float64Array.from(randomTensor(shapes.q, 1).data),
  kv: Float64Array.from(randomTensor(shapes.kv, 2).data),
  weights: Float64Array.from(randomTensor(shapes.q, 3).data),
  lens: [4, 2],
  links: [0b1, 0b1010, 0, 0b11, 0b1111, 0b1000],
  step: stepData({ tokenWeight: 0.5 }),
};

/** The losses and gradients at some q and kv. */
function run(values: Partial<typeof data>, withOther: boolean) {
  const graph = new Graph();
  const [q, kv] = [graph.input('q', 'f32', shapes.q), graph.input('kv', 'f32', shapes.kv)];
  const lens = graph.input('lens', 'u32', [B]);
  const links = graph.input('links', 'u32', [B, T, 1]);
  const step = graph.input('step', 'u32', [stepWords]);
  const out = crossAttention(graph, q, kv, lens, step, { heads, headWidth });
  const attrs = { heads, headWidth, head: 1, weight: 0.3 };
  const guided = guidedAlignment(graph, { q, kv, lens, links, step }, attrs);
  const weights = graph.input('weights', 'f32', shapes.q);
  const { loss: other } = graph.apply(weightedLossOp, { xs: [out], weights: [weights] });
  const [dq, dkv] = withOther
    ? gradients(graph, other, [q, kv], undefined, [guided])
    : gradients(graph, guided, [q, kv]);
  for (const [name, value] of Object.entries({ guided, other, dq, dkv }))
    if (value) graph.output(name, value);
  const found: Record<string, Float64Array> = createCpuExecutor(graph).run({ ...data, ...values });
  const sum = (list: Float64Array | undefined) => Array.from(list ?? []).reduce((total, x) => total + x, 0);
  return { found, total: 0.5 * sum(found.guided) + (withOther ? sum(found.other) : 0) };
}

it.each([false, true])('equals finite differences, beside another loss: %s', (withOther) => {
  const { found } = run({}, withOther);
  const h = 1e-5;
  for (const name of ['q', 'kv'] as const) {
    const slopes = data[name].map((x, i) => {
      const at = (value: number) => run({ [name]: data[name].with(i, value) }, withOther).total;
      return (at(x + h) - at(x - h)) / (2 * h);
    });
    const gradient = found[`d${name}`] ?? new Float64Array();
    expect(gradient).toHaveLength(slopes.length);
    for (const [i, slope] of slopes.entries()) expect(gradient[i]).toBeCloseTo(slope, 8);
  }
});

it('has no loss for queries without links and for keys past the end', () => {
  const { guided } = run({}, false).found;
  // Query 2 of the first sentence has no link; query 2 of the second only one to padding.
  expect([guided?.[2], guided?.[5]]).toEqual([0, 0]);
  expect(guided?.[0]).toBeGreaterThan(0);
});
