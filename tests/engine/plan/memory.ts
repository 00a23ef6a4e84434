// Simulates a plan on labelled memory: every 256-byte cell has the name of its value. A pass that reads a
// cell whose label is another value's, or an output or a placed result that is gone at the end, is a fault.
// It does not use lifetimes, so it is an independent check of the planner.

import { tensorType } from '../../../src/core/tensor.ts';
import type { Graph } from '../../../src/engine/graph/graph.ts';
import { attrsOf, defineOp, type Value } from '../../../src/engine/ops/op.ts';
import type { Plan, Range } from '../../../src/engine/plan/plan.ts';

/** Settings of `box`. */
export interface BoxOptions {
  /** Sizes of the outputs in elements. */
  readonly sizes: readonly number[];
  /** Pairs of an input and an output that may share memory. */
  readonly share?: readonly (readonly [number, number])[];
  /** Elements of scratch, default none. */
  readonly scratch?: number;
}

/**
 * Applies an op of any number of inputs and outputs. Its one launch binds `in0`.. (but inputs whose memory an
 * output has taken), `out0`.. and `scratch`, under the names that `play` looks for.
 */
export function boxes(
  g: Graph,
  inputs: readonly Value[],
  { sizes, share = [], scratch: size = 0 }: BoxOptions,
): Value[] {
  const named = <T>(prefix: string, list: readonly T[]) =>
    Object.fromEntries(list.map((v, i) => [`${prefix}${i}`, v]));
  const inPlace: Record<string, string[]> = {};
  for (const [i, o] of share) inPlace[`out${o}`] = [...(inPlace[`out${o}`] ?? []), `in${i}`];
  const op = defineOp({
    name: 'box',
    inputs: inputs.map((_, i) => `in${i}`),
    outputs: sizes.map((_, o) => `out${o}`),
    attrs: attrsOf<{ readonly sizes: string; readonly share: string; readonly scratch: number }>(),
    shape: () =>
      named(
        'out',
        sizes.map((n) => tensorType('f32', [n])),
      ),
    inPlace,
    launch(ins, outs, _attrs, { scratch, shared }) {
      const bind: Record<string, Value> = {};
      const taken = Object.keys(ins).flatMap((i) =>
        Object.keys(outs).flatMap((o) => (shared(i, o) ? [[i, Number(o.slice('out'.length))] as const] : [])),
      );
      const owners = new Map(taken);
      for (const [i, v] of Object.entries(ins)) if (!owners.has(i)) bind[i] = v as Value;
      for (const [o, v] of Object.entries(outs)) bind[o] = v as Value;
      if (size > 0) bind.scratch = scratch('f32', [size]);
      const params = Object.fromEntries(taken.map(([i, o]) => [`taken${i.slice('in'.length)}`, o]));
      return [{ shader: 'toy', entry: 'box', bind, params, grid: [1, 1, 1] }];
    },
    reference() {},
  });
  const outputs = g.apply(op, named('in', inputs), {
    sizes: sizes.join(),
    share: share.join(' '),
    scratch: size,
  });
  return Object.values(outputs) as Value[];
}

/** `boxes` with one output. */
export const box = (g: Graph, inputs: readonly Value[], options: BoxOptions = { sizes: [64] }): Value =>
  boxes(g, inputs, options)[0] as Value;

/** Faults of a plan of black boxes, as sentences; empty if the plan is sound. */
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
      if (out && (out.buffer !== range.buffer || out.offset !== range.offset))
        faults.push(`${where} moves in place`);
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
