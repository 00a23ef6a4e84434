// The CPU executor: graphs in float64, with states that live on.

import { describe, expect, it } from 'vitest';
import { createCpuExecutor } from '../../../src/engine/cpu/executor.ts';
import { Graph } from '../../../src/engine/graph/graph.ts';
import { clipScale, counterAt, counterLength } from '../../../src/engine/ops/optimizer/clip.ts';
import { errorNaming } from '../../support/expect-error.ts';
import { dot, plus, scale, times } from '../../support/toys.ts';

describe('the CPU executor', () => {
  it('computes in float64', () => {
    const g = new Graph();
    g.output('y', scale(g, g.input('x', 'f32', [1]), 1 / 3));
    expect(createCpuExecutor(g).run({ x: [0.1] }).y?.[0]).toBe(0.1 / 3);
  });

  it('starts every run from zero, except for states', () => {
    const g = new Graph();
    const [x, w] = [g.input('x', 'f32', [3]), g.input('w', 'f32', [3])];
    g.output('sum', dot(g, x, w)); // its reference adds onto zeros
    const cpu = createCpuExecutor(g);
    for (let i = 0; i < 3; i++)
      expect(cpu.run({ x: [1, 2, 3], w: [1, 1, 1] }).sum).toEqual(Float64Array.of(6));
  });

  it('keeps states across runs, and lets ops change those that they mutate', () => {
    const g = new Graph();
    const counters = g.state('counters', 'f32', [counterLength]);
    g.output(
      'clip',
      clipScale(g, g.input('gradients', 'f32', [2]), counters, { maxNorm: 1, beta1: 0.5, beta2: 0.5 }),
    );
    const cpu = createCpuExecutor(g);
    for (const gradients of [
      [3, 4],
      [Number.NaN, 1],
      [3, 4],
    ])
      cpu.run({ gradients });
    expect(cpu.state('counters')[counterAt.applied]).toBe(2);
    expect(cpu.state('counters')[counterAt.skipped]).toBe(1);
    expect(cpu.state('counters')[counterAt.correction1]).toBe(0.75);
  });

  it('shares memory between a state, its slices and results placed in it', () => {
    const g = new Graph();
    const parameterBuffer = g.state('parameterBuffer', 'f32', [192]);
    const part = g.slice(parameterBuffer, 'part', 64, [2]);
    const placed = scale(g, part, 10);
    g.place(placed, parameterBuffer, 128);
    g.output('again', scale(g, g.slice(parameterBuffer, 'placed', 128, [2]), 1));
    const cpu = createCpuExecutor(g);
    cpu.state('parameterBuffer').set([7, 8], 64);
    expect(cpu.run({}).again).toEqual(Float64Array.of(70, 80));
    expect(Array.from(cpu.state('parameterBuffer').subarray(128, 130))).toEqual([70, 80]);
    expect(cpu.dataOf(placed)).toEqual(Float64Array.of(70, 80));
  });

  it('shares states by name among graphs', () => {
    const states = new Map<string, Float64Array>();
    const executors = [2, 3].map((factor) => {
      const g = new Graph();
      const s = g.state('s', 'f32', [64]);
      g.place(scale(g, g.input('x', 'f32', [64]), factor), s, 0);
      return createCpuExecutor(g, states);
    });
    executors[1]!.run({ x: new Float64Array(64).fill(1) });
    expect(executors[0]!.state('s')[5]).toBe(3);
  });

  it('returns outputs that later runs do not change', () => {
    const g = new Graph();
    g.output('y', times(g, g.input('x', 'f32', [1]), g.input('x', 'f32', [1])));
    const cpu = createCpuExecutor(g);
    const first = cpu.run({ x: [2] });
    cpu.run({ x: [3] });
    expect(first.y?.[0]).toBe(4);
  });

  it('names an input that is missing or of another size, and a state that is not there', () => {
    const g = new Graph();
    plus(g, g.input('x', 'f32', [2]), g.input('y', 'f32', [2]));
    const cpu = createCpuExecutor(g);
    expect(() => cpu.run({ x: [1, 2] })).toThrow(errorNaming('cpu', 'y', 2));
    expect(() => cpu.run({ x: [1, 2], y: [1] })).toThrow(errorNaming('cpu', 'y', 2, 1));
    expect(() => cpu.state('s')).toThrow(errorNaming('cpu', 's'));
  });
});
