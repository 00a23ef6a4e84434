// The order of nodes: never against dependencies; with a lower peak if possible, else unchanged.

import { describe, expect, it } from 'vitest';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { bestTokens } from '../../../src/engine/ops/decoding/best-tokens.ts';
import { rulesSize } from '../../../src/engine/ops/decoding/next-token.ts';
import { logMean } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { takeNumbers } from '../../../src/engine/ops/elementwise/take-rows.ts';
import { softmax } from '../../../src/engine/ops/norm/softmax.ts';
import type { Node, Value } from '../../../src/engine/ops/op.ts';
import { stepWords } from '../../../src/engine/ops/step-scalars.ts';
import { ordered } from '../../../src/engine/plan/order.ts';
import { makePlan } from '../../../src/engine/plan/planner.ts';
import { box as boxOf, play } from './memory.ts';

const box = (g: Graph, inputs: Value[], size: number): Value => boxOf(g, inputs, { sizes: [size] });
const ids = (nodes: readonly Node[]) => nodes.map(({ id }) => id);

/** `n` large values of one input, each reduced by its own node; all are computed first. */
function wasteful(count: number): Graph {
  const g = new Graph();
  const x = g.input('x', 'f32', [64]);
  const large = Array.from({ length: count }, () => box(g, [x], 64 * 64));
  const small = large.map((v) => box(g, [v], 64));
  g.output('y', box(g, small, 64));
  return g;
}

it('computes large values just before they are needed, and frees them at once', () => {
  const g = wasteful(5);
  expect(ids(ordered(g).nodes)).not.toEqual(ids(g.nodes));
  const plan = makePlan(g);
  expect(play(g, plan)).toEqual([]);
  // One large value and the five small ones.
  expect(plan.bytes.slots).toBe(4 * 64 * (64 + 5));
});

it('keeps the order of a graph if no other order needs less memory', () => {
  const g = new Graph();
  const x = box(g, [g.input('x', 'f32', [64])], 64);
  g.output('y', box(g, [box(g, [x], 640), x], 64));
  expect(ordered(g).nodes).toBe(g.nodes);
});

describe('a node that reads a state', () => {
  /**
   * Whether a node still runs before one that writes to the state from `offset` on, although a later position
   * is better.
   */
  const readsFirst = (size: number, offset: number): boolean => {
    const g = wasteful(3);
    const parameterBuffer = g.state('parameterBuffer', 'f32', [4096]);
    const reader = box(g, [g.slice(parameterBuffer, 'part', 0, [size])], 64 * 64);
    const writer = box(g, [g.input('x', 'f32', [64])], 64);
    g.place(writer, parameterBuffer, offset);
    g.output('z', box(g, [reader], 64));
    const { nodes } = ordered(g);
    expect(nodes).not.toBe(g.nodes);
    expect(play(g, makePlan(g))).toEqual([]);
    return nodes.indexOf(reader.node!) < nodes.indexOf(writer.node!);
  };

  it('stays before one that writes there', () => {
    expect(readsFirst(64, 0)).toBe(true);
  });

  it('stays before one that writes to a slice of it', () => {
    expect(readsFirst(1024, 512)).toBe(true);
  });

  it('may swap with one that writes to another range', () => {
    expect(readsFirst(512, 512)).toBe(false);
  });
});

it('keeps a reader of logits before the node that changes them in place, although that one frees them', () => {
  const g = new Graph();
  const logits = logMean(g, softmax(g, g.input('x', 'f32', [8, 1, 512])), 2);
  g.output('some', takeNumbers(g, logits, g.input('places', 'u32', [32])));
  const history = g.input('history', 'i32', [8, 4]);
  const step = g.input('step', 'u32', [stepWords]);
  const rules = g.input('rules', 'i32', [rulesSize(0)]);
  const best = bestTokens(g, logits, history, rules, step, { endId: 2, rules: true, wanted: 8 });
  g.output('tokens', best.tokens);
  const names = ordered(g).nodes.map(({ op }) => op.name);
  expect(names.indexOf('take_rows')).toBeLessThan(names.indexOf('best_tokens'));
});
