// A plan: a run as plain data. Passes in order, buffers, memory ranges of named tensors, costs. engine/gpu
// runs it.

import { formatMiB } from '../../core/format-numbers.ts';
import type { DType, Shape } from '../../core/tensor.ts';
import type { ShaderSource } from '../ops/op.ts';
import { checkFieldTypes } from '../ops/option-checks.ts';

/** A range of a buffer, in bytes; `buffer` is its index in the plan. */
export interface Range {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

/** A buffer: all inputs together, one state, or one slot that results use in turn. */
export interface PlanBuffer {
  readonly kind: 'inputs' | 'state' | 'slot';
  readonly name: string;
  readonly bytes: number;
}

/** Memory range and type of a named tensor. */
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
  /** Declared variables that the kernel does not use. */
  readonly absent?: readonly string[];
  /** Names of the bindings that are f16, sorted. Absent if there are none. */
  readonly f16?: readonly string[];
  /** Threads of a subgroup to request. */
  readonly subgroupSize?: number;
  /** Memory to fill with zeros before the dispatch. */
  readonly clear?: readonly Range[];
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /** Types of the outputs of the node, to print. */
  readonly outputs: readonly { readonly dtype: DType; readonly shape: Shape }[];
  /** Id of the node in its graph. */
  readonly node: number;
}

/** The passes and the memory of a graph. */
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
    /** Lower bound of the peak: inputs, states, and the maximum size of results in use at once. */
    readonly lowerBound: number;
  };
  /**
   * FLOPs of the matrix products without recomputation, for the model FLOPs utilization (MFU); see
   * `modelFlops` of an op.
   */
  readonly modelFlops: number;
  readonly flops: number;
}

/**
 * Formats a plan as a table of its passes with totals. Deterministic, so that tests can compare it.
 *
 * @example
 * console.log(printPlan(makePlan(graph)));
 */
export function printPlan(plan: Plan): string {
  checkFieldTypes<Pick<Plan, 'passes' | 'buffers'>>(
    'printPlan',
    plan,
    { passes: 'a list', buffers: 'a list' },
    'plan',
  );
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
    `${plan.passes.length} dispatches, ${(plan.flops / 1e9).toFixed(3)} GFLOP a run, ${(plan.modelFlops / 1e9).toFixed(3)} of matrix products`,
    '',
  ].join('\n');
}
