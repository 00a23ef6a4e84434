// The planner: graph -> plan. It chooses kernel variants, order and memory, without a GPU.

import { HeddleError } from '../../core/errors.ts';
import { formatInteger } from '../../core/format-numbers.ts';
import { listed, msg } from '../../core/message.ts';
import { bytesOf, bytesPer, show } from '../../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import { type DeviceTraits, defaultTraits } from '../ops/device-traits.ts';
import type { Launch, Node, Value } from '../ops/op.ts';
import { inputsOf, outputsOf } from '../ops/op-nodes.ts';
import { defaultVariant, type KernelChoices, variantKey, variantNamed } from './kernel-choices.ts';
import { align, assignSlots, type Group, lifetimes, maxAlive, slotted } from './lifetimes.ts';
import { ordered } from './order.ts';
import type { Pass, Placement, Plan, PlanBuffer, Range } from './plan.ts';

/** Settings of `makePlan`. */
export interface PlanOptions {
  /** Limits and features of the device. Default WebGPU's guaranteed limits. */
  readonly traits?: DeviceTraits;
  /** Tuned kernels. Default: the default variant of each node. */
  readonly kernelChoices?: KernelChoices;
}

/** Plans a graph. Throws a HeddleError if a launch exceeds a limit of the device. */
export function makePlan(graph: Graph, options: PlanOptions = {}): Plan {
  const { traits = defaultTraits, kernelChoices = {} } = options;
  const order = ordered(graph);
  const { groups, shared } = lifetimes(order);
  const { launches, scratch } = launchesOf(order.nodes, shared, traits, kernelChoices);
  const { buffers, slotted, locate } = placement(graph, new Map([...groups, ...scratch]));
  const passes = launches.map((launch) => passOf(launch, locate, traits));
  const placed = (values: Iterable<readonly [string, Value]>): Record<string, Placement> =>
    Object.fromEntries(
      [...values].map(([name, v]) => [name, { range: locate(v), dtype: v.dtype, shape: v.shape }]),
    );
  const sum = (kind: PlanBuffer['kind']) => buffers.reduce((n, b) => n + (b.kind === kind ? b.bytes : 0), 0);
  const fixed = sum('inputs') + sum('state');
  return {
    buffers,
    passes: clearEarly(passes),
    inputs: placed(graph.inputs),
    states: placed(graph.states),
    outputs: placed(graph.outputs),
    bytes: {
      inputs: sum('inputs'),
      states: sum('state'),
      slots: sum('slot'),
      peak: fixed + sum('slot'),
      lowerBound: fixed + maxAlive(slotted, graph.nodes.length),
    },
    flops: passes.reduce((n, p) => n + p.flops, 0),
    modelFlops: graph.nodes
      .filter((node) => !node.recomputed)
      .reduce((n, node) => n + (node.op.modelFlops?.(inputsOf(node), outputsOf(node), node.attrs) ?? 0), 0),
  };
}

/** A launch with its node and variant. */
interface NodeLaunch {
  readonly node: Node;
  readonly variant: string;
  readonly launch: Launch;
}

/** The launches of nodes in order, with the chosen or else the default variants, and their scratch memory. */
function launchesOf(
  nodes: readonly Node[],
  shared: ReadonlySet<string>,
  traits: DeviceTraits,
  choices: KernelChoices,
): { launches: NodeLaunch[]; scratch: Map<Value, Group> } {
  const scratch = new Map<Value, Group>();
  const launches = nodes.flatMap((node, i): NodeLaunch[] => {
    const chosen = variantNamed(node, choices[variantKey(node)], traits);
    const variant = chosen ?? defaultVariant(node, traits);
    const launched = node.op.launch(inputsOf(node), outputsOf(node), node.attrs, {
      variant,
      traits,
      shared: (input: string, output: string) => shared.has(`${node.id}:${input}:${output}`),
      scratch(dtype, shape) {
        const value: Value = {
          id: -1 - scratch.size,
          name: `${node.op.name}.scratch`,
          kind: 'result',
          dtype,
          shape,
        };
        scratch.set(value, { bytes: align(bytesOf(value)), start: i, end: i });
        return value;
      },
    });
    return launched.map((launch) => ({ node, variant: variant.name, launch }));
  });
  return { launches, scratch };
}

/** Lays out memory: all inputs in one buffer, each state in its own, results in slots or in a state. */
function placement(graph: Graph, groups: ReadonlyMap<Value, Group>) {
  const buffers: PlanBuffer[] = [];
  const ranges = new Map<Value, Range>();
  let inputBytes = 0;
  for (const v of graph.inputs.values()) {
    ranges.set(v, { buffer: 0, offset: inputBytes, bytes: bytesOf(v) });
    inputBytes += align(bytesOf(v));
  }
  buffers.push({ kind: 'inputs', name: 'inputs', bytes: inputBytes });
  for (const v of graph.states.values()) {
    ranges.set(v, { buffer: buffers.length, offset: 0, bytes: bytesOf(v) });
    buffers.push({ kind: 'state', name: v.name, bytes: align(bytesOf(v)) });
  }
  const firstSlot = buffers.length;
  const needSlots = slotted({ groups });
  const slots = assignSlots(needSlots);
  for (const [s, bytes] of slots.bytes.entries()) buffers.push({ kind: 'slot', name: `slot${s}`, bytes });

  const find = (v: Value): Range => {
    const bytes = bytesOf(v);
    const group = groups.get(v);
    const at = v.at ?? group?.at;
    if (at) {
      const { buffer, offset } = locate(at.buffer);
      return { buffer, offset: offset + at.offset * bytesPer(v.dtype), bytes };
    }
    const slot = group && slots.slotOf.get(group);
    if (slot === undefined) throw new Error(`plan: ${v.name} ${show(v.shape)} has no memory`);
    return { buffer: firstSlot + slot, offset: 0, bytes };
  };
  const locate = (v: Value): Range => {
    const range = ranges.get(v) ?? find(v);
    ranges.set(v, range);
    return range;
  };
  return { buffers, slotted: needSlots, locate };
}

/** Makes the pass of a launch. Throws a HeddleError if it exceeds a limit of the device. */
function passOf(
  { node, variant, launch }: NodeLaunch,
  locate: (value: Value) => Range,
  traits: DeviceTraits,
): Pass {
  const bind: Record<string, Range> = {};
  const f16: string[] = [];
  const absent: string[] = [];
  for (const [name, value] of Object.entries(launch.bind)) {
    if (!value) {
      absent.push(name);
      continue;
    }
    if (value.dtype === 'f16') f16.push(name);
    const range = locate(value);
    if (range.bytes > traits.maxBindingBytes)
      throw new HeddleError(
        msg`${name} ${show(value.shape)} needs a binding of ${formatInteger(range.bytes)} bytes, at most ${formatInteger(traits.maxBindingBytes)} bytes are allowed; ${
          // The size of weights, which are slices, does not depend on the batch.
          value.at
            ? msg`use a smaller vocabulary or a smaller model`
            : msg`use a smaller batch, shorter sequences, a smaller vocabulary or a smaller model`
        }`,
        { area: `${node.op.name} (${node.scope})`, kind: 'memory' },
      );
    bind[name] = range;
  }
  if (f16.length > 0 && !traits.f16)
    throw new HeddleError(
      msg`${listed(f16)} would be stored as f16, but this adapter has no shader-f16; use precision f32`,
      { area: `${node.op.name} (${node.scope})`, kind: 'unsupported' },
    );
  for (const n of launch.grid)
    if (n > 65535 || n < 1 || !Number.isInteger(n))
      throw new HeddleError(
        msg`the grid ${launch.grid.join('x')} of workgroups is out of range 1..65535; use a smaller batch or shorter sequences`,
        { area: node.op.name },
      );
  const { shader, entry, constants = {}, params = {}, subgroupSize, grid, flops = 0 } = launch;
  return {
    op: node.op.name,
    scope: node.scope,
    variant,
    shader,
    entry,
    constants: given(constants),
    params,
    bind,
    absent: absent.length > 0 ? absent : undefined,
    f16: f16.length > 0 ? f16.sort() : undefined,
    subgroupSize,
    clear: launch.clear?.map(locate),
    grid,
    flops,
    node: node.id,
    outputs: node.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
  };
}

/** The constants that are not undefined. */
const given = (constants: Readonly<Record<string, number | undefined>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(constants).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );

/**
 * Clears memory at the start of a run if no earlier pass uses it: clearing in between would split the compute
 * pass.
 */
function clearEarly(passes: readonly Pass[]): readonly Pass[] {
  const early: Range[] = [];
  const run = passes.map((pass, i) => {
    const { clear, ...rest } = pass;
    if (!clear) return pass;
    const before = passes.slice(0, i).flatMap((p) => [...Object.values(p.bind), ...(p.clear ?? [])]);
    const late = clear.filter((range) => before.some((b) => overlap(b, range)));
    early.push(...clear.filter((range) => !late.includes(range)));
    return late.length > 0 ? { ...rest, clear: late } : rest;
  });
  const [first, ...others] = run;
  return first && early.length > 0 ? [{ ...first, clear: early }, ...others] : run;
}

const overlap = (a: Range, b: Range): boolean =>
  a.buffer === b.buffer && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
