// Which kernels are timed and which are guessed, with a fake clock and given times.

import { describe, expect, it } from 'vitest';
import { type TuneKernelsOptions, tuneWith } from '../../../src/engine/gpu/auto-tuning.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { linear } from '../../../src/engine/ops/matmul/linear.ts';
import { matmul } from '../../../src/engine/ops/matmul/matmul.ts';
import { softmax } from '../../../src/engine/ops/norm/softmax.ts';
import type { Node, Value, Variant } from '../../../src/engine/ops/op.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';

/** Linear layers [rows, 64] to each of `outs`. */
function layers(rows: number, ...outs: number[]): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'f32', [rows, 64]);
  for (const out of outs) linear(graph, x, graph.input(`w${out}`, 'f32', [out, 64]));
  return graph;
}

/**
 * Tunes on a clock that a measurement moves on by `ms(variant)` and 100 for compiling; variants that match
 * `wrong` fail their check.
 */
async function run(
  graphs: Graph[],
  ms: (variant: string) => number,
  options: TuneKernelsOptions = {},
  wrong = /^$/,
  device = { traits: defaultTraits },
) {
  let clock = 0;
  const dropped: string[] = [];
  const measured: string[] = [];
  const guessed: Record<string, string> = {};
  const meter = {
    now: () => clock,
    check: async (_node: Node, { name }: Variant) => (wrong.test(name) ? 'it is wrong' : ''),
    async measure(node: Node, { name }: Variant) {
      measured.push(`${node.outputs[0]?.shape.at(-1)} ${name}`);
      clock += 100 + ms(name);
      return ms(name);
    },
  };
  const choices = await tuneWith(meter, device, graphs, {
    onGuessed(key, variant) {
      guessed[key] = variant;
    },
    onDropped: ({ kernel, reason }) => void dropped.push(`${kernel}: ${reason}`),
    ...options,
  });
  const chosen = graphs.flatMap((g) => g.nodes.map((node) => choices[variantKey(node)]));
  return { measured, chosen, choices, guessed, dropped };
}

const registersWin = (variant: string) => (variant.startsWith('registers') ? 1 : 2);

describe('tuneWith', () => {
  it('times every variant, picks the fastest, and starts with the node that has the most work', async () => {
    const { measured, chosen } = await run([layers(256, 32, 2048)], registersWin);
    expect(measured).toEqual([
      '2048 tiled-64x64',
      '2048 registers-8x8',
      '32 tiled-64x64',
      '32 registers-8x8',
    ]);
    expect(chosen).toEqual(['registers-8x8', 'registers-8x8']);
  });

  it('reuses the fastest variant of a node of similar sizes, unless measureAll is set', async () => {
    const graphs = () => [layers(256, 512, 640)];
    expect((await run(graphs(), registersWin)).measured).toHaveLength(2);
    const each = await run(graphs(), registersWin, { measureAll: true });
    expect(each.measured).toHaveLength(4);
    expect(each.chosen).toEqual(['registers-8x8', 'registers-8x8']);
  });

  it('starts no measurement after the time limit, and guesses', async () => {
    const { measured, chosen } = await run([layers(256, 32, 2048)], registersWin, { budgetMs: 150 });
    // The second variant would end at 204 ms.
    expect(measured).toEqual(['2048 tiled-64x64', '32 tiled-64x64']);
    expect(chosen).toEqual(['tiled-64x64', 'tiled-64x64']);
    const none = await run([layers(256, 32, 2048)], registersWin, { budgetMs: -1 });
    expect(none.measured).toEqual([]);
    expect(none.chosen).toEqual(['tiled-64x64', 'tiled-64x64']);
  });

  it('skips a family of variants that was very slow on another node', async () => {
    const { measured } = await run([layers(256, 32, 2048)], (v) => (v.startsWith('tiled') ? 100 : 1));
    expect(measured).toEqual(['2048 tiled-64x64', '2048 registers-8x8']);
  });

  it('skips the rest of a family after one very slow variant of a node', async () => {
    const software = { traits: { ...defaultTraits, software: true } };
    const measured: string[] = [];
    const meter = {
      now: () => 0,
      check: async () => '',
      async measure(_node: Node, { name }: Variant) {
        measured.push(name);
        return name.startsWith('tiled') ? 100 : 1;
      },
    };
    await tuneWith(meter, software, [layers(512, 512)]);
    expect(measured).toEqual(['registers-8x8', 'tiled-64x64']);
  });

  it('times nodes without a known variant, and nodes whose known variant does not exist', async () => {
    const graph = layers(256, 512);
    const [layer] = graph.nodes as [Node];
    graph.copy(layer, layer.inputs);
    softmax(graph, graph.input('s', 'f32', [8, 1024]));
    const first = await run([graph], registersWin);
    expect((await run([graph], registersWin, { known: first.choices })).measured).toEqual([]);
    const key = variantKey(graph.nodes[0] as Node);
    const again = await run([graph], registersWin, { known: { ...first.choices, [key]: 'gone' } });
    expect(again.measured).toEqual(['512 tiled-64x64', '512 registers-8x8']);
    expect(again.choices).toEqual(first.choices);
  });

  it('reuses guesses instead of measuring them, unless measureAll is set', async () => {
    const graph = layers(256, 512);
    const guessed = { [variantKey(graph.nodes[0] as Node)]: 'tiled-64x64' };
    const replayed = await run([graph], registersWin, { guessed });
    expect([replayed.measured, replayed.chosen]).toEqual([[], ['tiled-64x64']]);
    const each = await run([graph], registersWin, { guessed, measureAll: true });
    expect([each.measured.length, each.chosen]).toEqual([2, ['registers-8x8']]);
  });

  it('bases guesses on measurements, never on other guesses', async () => {
    const key = variantKey(layers(256, 512).nodes[0] as Node);
    const like = await run([layers(256, 640)], registersWin, { known: { [key]: 'tiled-64x64' } });
    expect([like.measured, like.chosen, Object.values(like.guessed)]).toEqual([
      [],
      ['tiled-64x64'],
      ['tiled-64x64'],
    ]);
    const other = await run([layers(256, 640)], registersWin, { guessed: { [key]: 'tiled-64x64' } });
    expect([other.measured.length, other.chosen, other.guessed]).toEqual([2, ['registers-8x8'], {}]);
  });

  it('reports guesses, incomplete measurements included, and never replaces a measurement', async () => {
    const graph = layers(256, 32, 2048);
    const [small, large] = graph.nodes.map(variantKey) as [string, string];
    const lists: string[] = [];
    const onMeasured: TuneKernelsOptions['onMeasured'] = (list) => void lists.push(list[0]?.key ?? '');
    const cut = await run([graph], registersWin, { budgetMs: 150, onMeasured });
    expect([lists, cut.guessed]).toEqual([[], { [small]: 'tiled-64x64', [large]: 'tiled-64x64' }]);
    const known = { [large]: 'registers-8x8' };
    for (const budgetMs of [-1, 150]) {
      const again = await run([graph], registersWin, { budgetMs, measureAll: true, known });
      expect(again.choices[large]).toBe('registers-8x8');
      expect(Object.keys(again.guessed)).toEqual([small]);
    }
  });

  it('distinguishes forms and types of nodes with the same sizes', async () => {
    const graph = new Graph();
    const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'f32', [256, 256])) as [Value, Value];
    for (const form of [{}, { transA: true }, { transB: true }]) matmul(graph, a, b, form);
    expect((await run([graph], registersWin)).measured).toHaveLength(6);
    const key = variantKey(layers(256, 512).nodes[0] as Node);
    const half = { [key.replaceAll('f32', 'f16')]: 'tiled-64x64' };
    expect((await run([layers(256, 512)], registersWin, { known: half })).chosen).toEqual(['registers-8x8']);
    // Nodes that differ only in the epilogue share a measurement, unless all are measured.
    const plain = layers(256, 512);
    linear(
      plain,
      plain.input('x', 'f32', [256, 64]),
      plain.input('w512', 'f32', [512, 64]),
      undefined,
      'relu',
    );
    expect((await run([plain], registersWin)).measured).toHaveLength(2);
    expect((await run([plain], registersWin, { measureAll: true })).measured).toHaveLength(4);
  });

  it('never times or chooses a variant that fails its check, and reports it', async () => {
    const { measured, chosen, dropped } = await run([layers(256, 2048)], registersWin, {}, /registers/);
    expect(measured).toEqual(['2048 tiled-64x64']);
    expect(chosen).toEqual(['tiled-64x64']);
    expect(dropped).toEqual(['linear registers-8x8: it is wrong']);
  });

  it('checks guesses too, and takes the naive variant if all others fail', async () => {
    const known = { [variantKey(layers(256, 512).nodes[0] as Node)]: 'registers-8x8' };
    const like = await run([layers(256, 640)], registersWin, { known }, /registers/);
    expect([like.measured, like.chosen]).toEqual([[], ['tiled-64x64']]);
    const late = await run([layers(256, 640)], registersWin, { budgetMs: -1 }, /tiled/);
    expect([late.measured, late.chosen]).toEqual([[], ['registers-8x8']]);
    for (const options of [{}, { budgetMs: -1 }, { measureAll: true }]) {
      const none = await run([layers(256, 640)], registersWin, options, /tiled|registers/);
      expect([none.measured, none.chosen]).toEqual([[], ['naive']]);
    }
  });

  it('guesses subgroup matrices if they pass their check, and else what comes next', async () => {
    const matrices = [{ operands: 'f32', m: 8, n: 8, k: 8, lanes: 32 }] as const;
    const withMatrices = { traits: { ...defaultTraits, matrices, maxWorkgroupBytes: 32768 } };
    const late = { budgetMs: -1 };
    const right = await run([layers(256, 640)], registersWin, late, /^$/, withMatrices);
    expect([right.chosen, right.dropped]).toEqual([['matrix-64x64'], []]);
    const wrong = await run([layers(256, 640)], registersWin, late, /matrix/, withMatrices);
    expect([wrong.chosen, wrong.dropped]).toEqual([['tiled-64x64'], ['linear matrix-64x64: it is wrong']]);
  });

  it('keeps settled variants, which it does not time, unless one fails its check', async () => {
    const key = variantKey(layers(256, 512).nodes[0] as Node);
    const options = { known: { [key]: 'registers-8x8' }, settled: { [key]: 'tiled-64x64' } };
    const kept = await run([layers(256, 512)], registersWin, options);
    expect([kept.measured, kept.chosen]).toEqual([[], ['tiled-64x64']]);
    const wrong = await run([layers(256, 512)], registersWin, { settled: { [key]: 'tiled-64x64' } }, /tiled/);
    expect([wrong.measured, wrong.chosen]).toEqual([['512 registers-8x8'], ['registers-8x8']]);
  });

  it('propagates errors of onProgress', async () => {
    const stop = () => {
      throw new Error('stopped');
    };
    await expect(run([layers(256, 512)], registersWin, { onProgress: stop })).rejects.toThrow(
      new Error('stopped'),
    );
  });
});
