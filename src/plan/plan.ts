// A plan: everything a run needs as plain data. Passes in order, buffers, where each named tensor lies, and what it costs.
// No GPU objects; `printPlan` shows it, src/gpu runs it.

import { formatMiB } from '../core/format-numbers.ts';
import type { DType, Shape } from '../core/tensor.ts';
import type { ShaderSource } from '../ops/op.ts';

/** A part of a buffer, in bytes. */
export interface Range {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

/** One buffer: all inputs together, one state, or one slot that results share in turn. */
export interface PlanBuffer {
  readonly kind: 'inputs' | 'state' | 'slot';
  readonly name: string;
  readonly bytes: number;
}

/** Where a named tensor lies. */
export interface Placement {
  readonly range: Range;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One dispatch. */
export interface Pass {
  readonly op: string;
  readonly scope: string;
  readonly variant: string;
  readonly shader: string | ShaderSource;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
  readonly bind: Readonly<Record<string, Range>>;
  /** Names of bindings that hold f16, sorted; none where absent. */
  readonly f16?: readonly string[];
  /** Memory that is filled with zeros before the dispatch. */
  readonly clear?: readonly Range[];
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /** Types of the node's outputs, for the print. */
  readonly outputs: readonly { readonly dtype: DType; readonly shape: Shape }[];
  /** Number of the node in its graph. */
  readonly node: number;
}

/** A graph made ready to run. */
export interface Plan {
  readonly buffers: readonly PlanBuffer[];
  readonly passes: readonly Pass[];
  readonly inputs: Readonly<Record<string, Placement>>;
  readonly states: Readonly<Record<string, Placement>>;
  readonly outputs: Readonly<Record<string, Placement>>;
  readonly bytes: {
    readonly inputs: number;
    readonly states: number;
    readonly slots: number;
    /** Inputs, states and slots together. */
    readonly peak: number;
    /** What no assignment of results to slots could go below: inputs, states and the most that is alive at once. */
    readonly lowerBound: number;
  };
  readonly flops: number;
}

/** A table of the passes and the totals, for people. Deterministic: tests take snapshots of it. */
export function printPlan(plan: Plan): string {
  const rows = plan.passes.map((p, i) => {
    const written = p.outputs.map((o) => `${o.dtype} [${o.shape.join(',')}]`).join(' ');
    const where = Object.entries(p.bind)
      .map(([name, r]) => `${name}=${plan.buffers[r.buffer]?.name}${r.offset ? `+${r.offset}` : ''}`)
      .join(' ');
    return [
      `${i}`,
      p.op + (p.variant === 'only' ? '' : `:${p.variant}`),
      p.scope,
      `${p.entry} ${p.grid.join('x')}`,
      written,
      p.flops ? `${(p.flops / 1e6).toFixed(2)}` : '',
      where,
    ];
  });
  const head = ['pass', 'op', 'scope', 'kernel', 'outputs', 'MFLOP', 'buffers'];
  const widths = head.map((h, c) => Math.max(h.length, ...rows.map((r) => (r[c] ?? '').length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join('  ')
      .trimEnd();
  const b = plan.bytes;
  return [
    line(head),
    ...rows.map(line),
    '',
    ...plan.buffers
      .filter((x) => x.kind !== 'slot')
      .map((x) => `${x.kind.padEnd(7)} ${x.name.padEnd(14)} ${formatMiB(x.bytes)}`),
    `activations            ${formatMiB(b.slots)} in ${plan.buffers.filter((x) => x.kind === 'slot').length} slots`,
    `peak    ${formatMiB(b.peak)}, lower bound ${formatMiB(b.lowerBound)} (${(b.peak / b.lowerBound).toFixed(3)} times)`,
    `${plan.passes.length} dispatches, ${(plan.flops / 1e9).toFixed(3)} GFLOP a run`,
    '',
  ].join('\n');
}
