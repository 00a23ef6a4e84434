// Plays a plan through in a memory of labels: every 256-byte cell says which value it holds. A pass that reads a cell whose label is
// another value's, or an output or a placed result that is gone at the end, is a fault. It knows nothing of lifetimes: it is the judge of the planner.

import type { Graph } from '../../src/graph/graph.ts';
import { type Attrs, defineOp, type Value } from '../../src/ops/op.ts';
import type { Plan, Range } from '../../src/plan/plan.ts';

/** Settings of `blackBox`. */
export type BoxAttrs = Attrs & {
  /** Sizes of the outputs in elements, `64,200`. */
  readonly sizes: string;
  /** Pairs `input:output` that may share memory. */
  readonly share: string;
  /** Elements of scratch, 0: none. */
  readonly scratch: number;
};

const numbers = (text: string, by: string): number[] => (text === '' ? [] : text.split(by).map(Number));

/**
 * An op of any number of inputs and outputs. Its one launch binds `in0`.. (but inputs whose memory an output has taken), `out0`..
 * and `scratch`, under the names that `play` looks for.
 */
export const blackBox = defineOp<BoxAttrs>({
  name: 'box',
  shape: (_inputs, { sizes }) => numbers(sizes, ',').map((n) => ({ dtype: 'f32', shape: [n] })),
  inPlace: ({ attrs }) =>
    attrs.share === '' ? [] : attrs.share.split(',').map((pair) => numbers(pair, ':') as [number, number]),
  launch({ inputs, outputs, attrs }, { scratch, shared }) {
    const bind: Record<string, Value> = {};
    const taken = new Map<number, number>();
    for (const i of inputs.keys()) for (const o of outputs.keys()) if (shared(i, o)) taken.set(i, o);
    for (const [i, v] of inputs.entries()) if (!taken.has(i)) bind[`in${i}`] = v;
    for (const [o, v] of outputs.entries()) bind[`out${o}`] = v;
    if (attrs.scratch > 0) bind.scratch = scratch('f32', [attrs.scratch]);
    const params = Object.fromEntries([...taken].map(([i, o]) => [`taken${i}`, o]));
    return [{ shader: 'toy', entry: 'box', bind, params, grid: [1, 1, 1] }];
  },
  reference() {},
});

/** Faults of a plan of black boxes, as sentences; none where it is sound. */
export function play(graph: Graph, plan: Plan): string[] {
  const faults: string[] = [];
  const cells = plan.buffers.map(() => new Map<number, Value | string>());
  const cellsOf = ({ offset, bytes }: Range): number[] => {
    if (offset % 256 !== 0) faults.push(`an offset of ${offset}`);
    return Array.from({ length: Math.ceil(bytes / 256) }, (_, i) => offset / 256 + i);
  };
  const put = (range: Range, label: Value | string): void => {
    if (range.offset + range.bytes > (plan.buffers[range.buffer]?.bytes ?? 0))
      faults.push(`${nameOf(label)} is too large`);
    for (const cell of cellsOf(range)) cells[range.buffer]?.set(cell, label);
  };
  const expect = (range: Range, label: Value, where: string): void => {
    for (const cell of cellsOf(range)) {
      const found = cells[range.buffer]?.get(cell);
      if (found !== label) faults.push(`${where} reads ${nameOf(label)}, there is ${nameOf(found)}`);
    }
  };
  for (const [name, v] of graph.inputs) put(plan.inputs[name]!.range, v);
  for (const [name, v] of graph.states) put(plan.states[name]!.range, v);
  const written = new Map<Value, Range>();
  plan.passes.forEach((pass, p) => {
    const node = graph.nodes.find(({ id }) => id === pass.node)!;
    const where = `pass ${p}`;
    for (const [i, v] of node.inputs.entries()) {
      const taken = pass.params[`taken${i}`];
      const range = taken === undefined ? pass.bind[`in${i}`]! : written.get(v)!;
      if (v.at && v.kind === 'state') continue;
      expect(range, v, where);
      const out = taken === undefined ? undefined : pass.bind[`out${taken}`];
      if (out && (out.buffer !== range.buffer || out.offset !== range.offset)) faults.push(`${where} moves in place`);
    }
    const touched = Object.entries(pass.bind);
    for (const [a, r] of touched)
      for (const [b, s] of touched) {
        const written = a.startsWith('out') || a === 'scratch';
        if (a !== b && written && r.buffer === s.buffer && plan.buffers[r.buffer]?.kind === 'slot')
          faults.push(`${where} writes ${a} and binds ${b} in one buffer`);
      }
    if (pass.bind.scratch) put(pass.bind.scratch, 'scratch');
    for (const [o, v] of node.outputs.entries()) {
      put(pass.bind[`out${o}`]!, v);
      written.set(v, pass.bind[`out${o}`]!);
    }
  });
  for (const [name, v] of graph.outputs) expect(plan.outputs[name]!.range, v, `output ${name}`);
  // What was placed in a state stays there for the next run.
  for (const [v, range] of written) if (v.at) expect(range, v, 'the state');
  return faults;
}

const nameOf = (label: Value | string | undefined): string =>
  typeof label === 'object' ? `%${label.id}` : (label ?? 'nothing');
