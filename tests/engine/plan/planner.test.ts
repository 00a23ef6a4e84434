// The planner on random graphs, checked by simulated memory (memory.ts); and its rules one by one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensorType } from '../../../src/core/tensor.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { defaultTraits } from '../../../src/engine/ops/device-traits.ts';
import { attrsOf, defineOp, type Node, type Value } from '../../../src/engine/ops/op.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { printPlan } from '../../../src/engine/plan/plan.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { box, boxes, play } from './memory.ts';

/**
 * One random node: which earlier values it reads (by number, wrapped), the sizes it makes, and what may
 * share.
 */
const nodes = fc.array(
  fc.record({
    inputs: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
    sizes: fc.array(fc.constantFrom(1, 64, 65, 128, 500, 4096), { minLength: 1, maxLength: 3 }),
    share: fc.array(fc.tuple(fc.nat(3), fc.nat(2)), { maxLength: 3 }),
    scratch: fc.constantFrom(0, 0, 64, 1000),
    output: fc.boolean(),
    place: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
);
type NodePlan = typeof nodes extends fc.Arbitrary<infer T> ? T : never;

function build(plans: NodePlan): Graph {
  const g = new Graph();
  const values: Value[] = [
    g.input('a', 'f32', [64]),
    g.input('b', 'f32', [4096]),
    g.state('s', 'f32', [500]),
  ];
  let placed = 0;
  const parameterBuffer = g.state('parameterBuffer', 'f32', [64 * 64 * 25]);
  for (const [n, p] of plans.entries()) {
    const inputs = p.inputs.map((i) => values[i % values.length]!);
    const share = p.share.filter(([i, o]) => i < inputs.length && o < p.sizes.length);
    const results = boxes(g, inputs, { sizes: p.sizes, share, scratch: p.scratch });
    if (p.place) g.place(results[0]!, parameterBuffer, 64 * 64 * placed++);
    if (p.output) g.output(`out${n}`, results[results.length - 1]!);
    values.push(...results);
  }
  return g;
}

describe('makePlan on random graphs', () => {
  it('never lets a value be overwritten before its last use, nor an output at all', () => {
    fc.assert(
      fc.property(nodes, (plans) => {
        const g = build(plans);
        expect(play(g, makePlan(g))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('needs at least its lower bound, and reports its bytes correctly', () => {
    fc.assert(
      fc.property(nodes, (plans) => {
        const { bytes, buffers } = makePlan(build(plans));
        expect(bytes.peak).toBe(buffers.reduce((n, b) => n + b.bytes, 0));
        expect(bytes.peak).toBe(bytes.inputs + bytes.states + bytes.slots);
        expect(bytes.peak).toBeGreaterThanOrEqual(bytes.lowerBound);
      }),
    );
  });

  it('is a function of the graph', () => {
    fc.assert(
      fc.property(nodes, (plans) => {
        expect(makePlan(build(plans))).toEqual(makePlan(build(plans)));
      }),
      { numRuns: 30 },
    );
  });
});

const slotsOf = (g: Graph): number[] =>
  makePlan(g)
    .buffers.filter((b) => b.kind === 'slot')
    .map((b) => b.bytes);

describe('memory in place', () => {
  const chain = (keep: (g: Graph, middle: Value) => void): number => {
    const g = new Graph();
    const middle = box(g, [g.input('x', 'f32', [64])]);
    g.output('y', box(g, [middle], { sizes: [64], share: [[0, 0]] }));
    keep(g, middle);
    return slotsOf(g).length;
  };

  it('is reused if the input is not read later', () => {
    expect(chain(() => {})).toBe(1);
  });

  it('is not reused if the input is read later', () => {
    expect(chain((g, middle) => g.output('z', box(g, [middle])))).toBeGreaterThan(1);
  });

  it('is not reused if the input is an output of the graph', () => {
    expect(chain((g, middle) => g.output('z', middle))).toBe(2);
  });

  it('is not taken from inputs and states of the graph', () => {
    const g = new Graph();
    for (const v of [g.input('x', 'f32', [64]), g.state('s', 'f32', [64])]) {
      const y = box(g, [v], { sizes: [64], share: [[0, 0]] });
      g.output(v.name, y);
    }
    const plan = makePlan(g);
    expect(plan.passes.map((p) => plan.buffers[p.bind.out0!.buffer]!.kind)).toEqual(['slot', 'slot']);
  });

  it('is not reused if the op reads the input twice', () => {
    const g = new Graph();
    const middle = box(g, [g.input('x', 'f32', [64])]);
    g.output('y', box(g, [middle, middle], { sizes: [64], share: [[0, 0]] }));
    expect(slotsOf(g)).toHaveLength(2);
  });

  it('is not reused for another size', () => {
    const g = new Graph();
    const middle = box(g, [g.input('x', 'f32', [64])]);
    g.output('y', box(g, [middle], { sizes: [65], share: [[0, 0]] }));
    expect(slotsOf(g).sort((a, b) => a - b)).toEqual([256, 512]);
  });
});

describe('scratch', () => {
  it('lives only for its node', () => {
    const g = new Graph();
    let x = g.input('x', 'f32', [64]);
    for (let i = 0; i < 5; i++) x = box(g, [x], { sizes: [64], scratch: 1000 });
    g.output('y', x);
    // One slot for the scratch of all five nodes, two that the results take in turns.
    expect(slotsOf(g).sort((a, b) => a - b)).toEqual([256, 256, 4096]);
  });
});

describe('placed results', () => {
  it('are in their state at their offset and need no slot', () => {
    const g = new Graph();
    const parameterBuffer = g.state('parameterBuffer', 'f32', [256]);
    const y = box(g, [g.input('x', 'f32', [64])]);
    g.place(y, parameterBuffer, 128);
    g.output('y', y);
    const plan = makePlan(g);
    expect(plan.passes[0]?.bind.out0).toEqual({ buffer: 1, offset: 512, bytes: 256 });
    expect(plan.outputs.y?.range).toEqual({ buffer: 1, offset: 512, bytes: 256 });
    expect(plan.bytes.slots).toBe(0);
  });
});

describe('limits', () => {
  const oneBinding = (bytes: number) => {
    const g = new Graph();
    g.output(
      'y',
      g.scope('decoder', () => box(g, [g.input('x', 'f32', [64])], { sizes: [bytes / 4] })),
    );
    return () => makePlan(g, { traits: { ...defaultTraits, maxBindingBytes: 1024 } });
  };

  it('are kept to the byte', () => {
    expect(oneBinding(1024)).not.toThrow();
    expect(oneBinding(1028)).toThrow(
      errorAbout({ kind: 'memory', area: 'box (decoder)', values: ['out0', '[257]', '1,028', '1,024'] }),
    );
  });

  it('of the grid are errors of the op', () => {
    const grids = defineOp({
      name: 'grids',
      inputs: [],
      outputs: ['y'],
      attrs: attrsOf<{ x: number }>(),
      shape: () => ({ y: tensorType('f32', [1]) }),
      launch: (_inputs, { y }, { x }) => [{ shader: 'toy', entry: 'e', bind: { y }, grid: [1, x, 1] }],
      reference() {},
    });
    const plan = (x: number) => {
      const g = new Graph();
      g.apply(grids, {}, { x });
      return makePlan(g);
    };
    expect(plan(65535).passes).toHaveLength(1);
    for (const x of [65536, 0, 1.5]) expect(() => plan(x)).toThrow(errorAbout({ area: 'grids' }));
    expect(() => plan(65536)).toThrow(errorAbout({ area: 'grids', values: ['1x65536x1'] }));
  });
});

describe('variants', () => {
  const [fast, plain, other] = [{ name: 'fast' }, { name: 'plain' }, { name: 'other' }];
  const ways = defineOp({
    name: 'ways',
    inputs: ['x'],
    outputs: ['y'],
    attrs: attrsOf<{ site: number; rate: number }>(),
    shape: ({ x }) => ({ y: x }),
    variants: (_inputs, _attrs, traits) => (traits.subgroups ? [fast, plain] : [plain, other]),
    launch: ({ x }, { y }, _attrs, { variant }) => [
      { shader: 'toy', entry: variant.name, bind: { x, y }, grid: [1, 1, 1] },
    ],
    reference() {},
  });
  const g = new Graph();
  const x = g.input('x', 'f32', [2, 3]);
  const nodeOf = (attrs: { site: number; rate: number }) => g.apply(ways, { x }, attrs).y.node as Node;
  const first = nodeOf({ site: 1, rate: 0.5 });
  const second = nodeOf({ site: 2, rate: 0.5 });
  const third = nodeOf({ site: 2, rate: 0.25 });
  const key = variantKey(first);

  it('have keys of op, attributes and types, not of the position in the model', () => {
    expect(key).toBe('ways {"rate":0.5} f32[2,3] f32[2,3]');
    expect(variantKey(second)).toBe(key);
    expect(variantKey(third)).not.toBe(key);
  });

  it('are the first if none is chosen, or if the chosen one does not exist on this device', () => {
    const entries = (options: Parameters<typeof makePlan>[1]) =>
      makePlan(g, options).passes.map((p) => p.entry);
    const fast = { ...defaultTraits, subgroups: true };
    expect(entries({})).toEqual(['plain', 'plain', 'plain']);
    expect(entries({ traits: fast })).toEqual(['fast', 'fast', 'fast']);
    expect(entries({ traits: fast, kernelChoices: { [key]: 'plain' } })).toEqual(['plain', 'plain', 'fast']);
    expect(entries({ kernelChoices: { [key]: 'fast' } })).toEqual(['plain', 'plain', 'plain']);
    expect(entries({ kernelChoices: { [key]: 'other' } })).toEqual(['other', 'other', 'plain']);
  });
});

describe('printPlan', () => {
  it('shows passes in order with shapes, buffers and bytes, and the totals', () => {
    const g = new Graph();
    const parameterBuffer = g.state('parameterBuffer', 'f32', [128]);
    const x = g.input('x', 'f32', [8, 8]);
    const y = g.scope('encoder', () => box(g, [x, parameterBuffer], { sizes: [64, 65], scratch: 1000 }));
    const z = g.scope('decoder', () => box(g, [y], { sizes: [64], share: [[0, 0]] }));
    g.output('z', z);
    g.place(box(g, [z]), parameterBuffer, 64);
    expect(printPlan(makePlan(g))).toMatchInlineSnapshot(`
      "pass  op   scope    kernel     outputs            MFLOP  buffers
      0     box  encoder  box 1x1x1  f32 [64] f32 [65]         in0=inputs in1=parameterBuffer out0=slot2 out1=slot1 scratch=slot0
      1     box  decoder  box 1x1x1  f32 [64]                  out0=slot2
      2     box           box 1x1x1  f32 [64]                  in0=slot2 out0=parameterBuffer+256

      inputs  inputs         0.00 MiB
      state   parameterBuffer 0.00 MiB
      activations            0.00 MiB in 3 slots
      peak    0.01 MiB, lower bound 0.01 MiB (1.000 times)
      3 dispatches, 0.000 GFLOP a run, 0.000 of matrix products
      "
    `);
  });
});

describe('memory that is cleared', () => {
  const wiped = defineOp({
    name: 'wiped',
    inputs: ['x'],
    outputs: ['y'],
    shape: ({ x }) => ({ y: x }),
    launch: ({ x }, { y }) => [
      { shader: 'toy', entry: 'box', bind: { in0: x, out0: y }, clear: [y], grid: [1, 1, 1] },
    ],
    reference() {},
  });

  /**
   * Passes that clear, of two boxes and a `wiped` whose result is in a state that a box writes to from
   * `offset` on.
   */
  const clearing = (offset: number): number[] => {
    const g = new Graph();
    const x = g.input('x', 'f32', [64]);
    const parameterBuffer = g.state('parameterBuffer', 'f32', [256]);
    const y = box(g, [x]);
    g.place(y, parameterBuffer, offset);
    g.place(g.apply(wiped, { x: box(g, [y]) }).y, parameterBuffer, 128);
    return makePlan(g).passes.flatMap(({ clear }, i) => (clear ? [i] : []));
  };

  it('is cleared before the first pass if no earlier pass uses it', () => {
    expect(clearing(0)).toEqual([0]);
  });

  it('is cleared where it is needed if an earlier pass uses it', () => {
    expect(clearing(128)).toEqual([2]);
  });
});
