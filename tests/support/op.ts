// Holds an op against its float64 reference: on the GPU for every variant (checkOp), and its gradient against finite differences
// on the CPU (checkGradient).

import { fromFloat16, toFloat16 } from '../../src/core/float16.ts';
import { random } from '../../src/core/random.ts';
import { allocate, f32, type Shape, sizeOf, type Tensor, type TensorData } from '../../src/core/tensor.ts';
import { relativeError } from '../../src/cpu/compare.ts';
import { createCpuExecutor } from '../../src/cpu/executor.ts';
import { wrapDevice } from '../../src/gpu/device.ts';
import { Session } from '../../src/gpu/gpu-session.ts';
import { halve } from '../../src/graph/f16-storage.ts';
import { gradients } from '../../src/graph/gradient.ts';
import { Graph } from '../../src/graph/graph.ts';
import {
  type Attrs,
  type DeviceTraits,
  defaultTraits,
  defineOp,
  type Node,
  type Op,
  type Value,
} from '../../src/ops/op.ts';
import { type StepScalars, stepWords, writeStep } from '../../src/ops/step-scalars.ts';
import { variantKey } from '../../src/plan/kernel-choices.ts';
import { makePlan } from '../../src/plan/planner.ts';

/** A case for an op. An input that is `'step'` stands for the step scalars; `[tensor, 'state']` for one that the op mutates. */
export interface OpCase<A extends Attrs> {
  inputs: (Tensor | 'step')[];
  attrs: A;
  /** Inputs whose gradient is checked too, for a random weighting of output `loss` (default 0). */
  wrt?: number[];
  /** Outputs that take part in the loss, default [0]. */
  through?: number[];
  step?: Partial<StepScalars>;
  /** Largest max|x - ref| / max|ref|; default 1e-5. */
  tolerance?: number;
  /** Another tolerance for gradients. */
  gradTolerance?: number;
  /** Only this variant, of backward nodes too where they have it; default: each that the device is offered. */
  variant?: string;
  /** Hold in f16 whatever the nodes can have so, inputs too; one more unit in the last place of f16 is allowed. */
  half?: boolean;
  /** Traits to plan with instead of the device's own. */
  traits?: Partial<DeviceTraits>;
}

/** A float32 tensor of normal numbers times `scale`. */
export function randomTensor(shape: Shape, seed: number, scale = 1): Tensor {
  const r = random(seed);
  return f32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => r.normal() * scale),
  );
}

/** Weights the outputs and is the root of a loss: its gradient with respect to output i is `weights[i]`. */
const weighted = defineOp({
  name: 'weighted_loss',
  shape: () => [{ dtype: 'f32', shape: [1] }],
  half: ({ inputs }) => ({ inputs: inputs.map((_, i) => i), outputs: [] }),
  launch: () => [],
  grad: (_builder, node) => {
    const n = node.inputs.length / 2;
    return node.inputs.map((_, i) => (i < n ? node.inputs[i + n] : undefined));
  },
  reference({ inputs, outputs }) {
    const n = inputs.length / 2;
    let sum = 0;
    for (let i = 0; i < n; i++)
      for (const [k, x] of (inputs[i]?.data ?? []).entries()) sum += x * (inputs[i + n]?.data[k] ?? 0);
    outputs[0]?.data.fill(sum);
  },
});

const defaultStep: StepScalars = { learningRate: 1e-3, tokenWeight: 1, seed: 7, step: 3, keep: 1, position: 0 };

function build<A extends Attrs>(op: Op<A>, c: OpCase<A>) {
  const graph = new Graph();
  const step = new Uint32Array(stepWords);
  writeStep(step, { ...defaultStep, ...c.step });
  const data: Record<string, Tensor['data']> = {};
  const states: Record<string, Tensor['data']> = {};
  const inputs = c.inputs.map((t, i) => {
    if (t === 'step') {
      data.step = step;
      return graph.input('step', 'u32', [stepWords]);
    }
    if (op.mutates?.includes(i)) {
      states[`in${i}`] = t.data;
      return graph.state(`in${i}`, t.dtype, t.shape);
    }
    data[`in${i}`] = t.data;
    return graph.input(`in${i}`, t.dtype, t.shape);
  });
  const outputs = graph.apply(op, inputs, c.attrs);
  const node = outputs[0]?.node ?? graph.nodes[graph.nodes.length - 1];
  for (const [i, v] of outputs.entries()) graph.output(`out${i}`, v);
  if (c.wrt) {
    const through = c.through ?? [0];
    const weights = through.map((o) => {
      const t = randomTensor((outputs[o] as Value).shape, 1000 + o);
      data[`w${o}`] = t.data;
      return graph.input(`w${o}`, 'f32', t.shape);
    });
    const [loss] = graph.apply(weighted, [...through.map((o) => outputs[o] as Value), ...weights], {});
    const wrt = c.wrt.map((i) => inputs[i] as Value);
    gradients(graph, loss as Value, wrt).forEach((d, k) => {
      if (!d) throw new Error(`${op.name}: no gradient for input ${c.wrt?.[k]}`);
      graph.output(`d${c.wrt?.[k]}`, d);
    });
    graph.output('loss', loss as Value);
  }
  if (c.half) {
    const inputs = [...graph.inputs.values()];
    halve(graph, [...inputs, ...graph.nodes.flatMap((n) => n.outputs)]);
    for (const v of inputs)
      if (v.dtype === 'f16') data[v.name] = toFloat16(Float32Array.from(data[v.name] as Float32Array));
  }
  return { graph, data, states, node, inputs };
}

/** Numbers of a tensor that may be f16. */
const numbers = (data: TensorData): ArrayLike<number> => (data instanceof Uint16Array ? fromFloat16(data) : data);

export { relativeError };

/** Largest error of each quantity, by variant; throws where one passes its tolerance. Needs tests/support/gpu.ts's device. */
export async function checkOp<A extends Attrs>(op: Op<A>, c: OpCase<A>): Promise<Record<string, number>> {
  const { gpuDevice } = await import('./gpu.ts');
  const device = wrapDevice(await gpuDevice());
  const traits = { ...device.traits, ...c.traits };
  const reference = build(op, c);
  const cpu = createCpuExecutor(reference.graph);
  for (const [name, d] of Object.entries(reference.states)) cpu.state(name).set(d);
  const want = cpu.run(Object.fromEntries(Object.entries(reference.data).map(([name, d]) => [name, numbers(d)])));
  const worst: Record<string, number> = {};
  const failures: string[] = [];
  const variantsOf = (n: Node): readonly string[] => {
    const all = n.op.variants?.(n, traits) ?? ['only'];
    return c.variant && (n.op === (op as Op) || all.includes(c.variant)) ? [c.variant] : all;
  };
  // Backward nodes may have more variants than the op: each gets its turn, by number.
  const rounds = Math.max(1, ...reference.graph.nodes.map((n) => variantsOf(n).length));
  for (let round = 0; round < rounds; round++) {
    const { graph, data, states } = build(op, c);
    const kernelChoices: Record<string, string> = {};
    for (const n of graph.nodes) {
      const own = variantsOf(n);
      kernelChoices[variantKey(n)] = own[round % own.length] as string;
    }
    const plan = makePlan(graph, { traits, kernelChoices });
    const session = new Session(device);
    try {
      const [runner] = await session.prepare([plan]);
      if (!runner) throw new Error('no runner');
      session.poison();
      for (const [name, d] of Object.entries(states)) session.write(name, d);
      for (const [name, d] of Object.entries(data)) runner.inputs[name]?.set(d);
      const read = Object.entries(await runner.run()).map(([name, d]) => [name, numbers(d)] as const);
      const got: Record<string, ArrayLike<number>> = Object.fromEntries(read);
      for (const name of Object.keys(states)) got[name] = (await session.read(name)).data;
      for (const name of [...Object.keys(plan.outputs).filter((n) => n !== 'loss'), ...Object.keys(states)]) {
        const ref = want[name] ?? cpu.state(name);
        const error = relativeError(got[name] ?? [], ref);
        const key = `${name} (${Object.values(kernelChoices).join(', ')})`;
        worst[key] = error;
        const exact = (name.startsWith('d') ? c.gradTolerance : undefined) ?? c.tolerance ?? 1e-5;
        // Both sides round to 11 bits; where they differ just before, by a unit in the last place. Gradients go through more roundings.
        const limit = exact + (!c.half ? 0 : name.startsWith('d') ? 2 ** -8 : 2 ** -10);
        if (!(error <= limit)) failures.push(`${key}: error ${error}, allowed ${limit}`);
      }
    } finally {
      session.destroy();
    }
  }
  if (failures.length) throw new Error(`${op.name} differs from its reference:\n${failures.join('\n')}`);
  return worst;
}

/** Holds the gradient nodes, run by their references, against central differences of the forward reference, in float64. */
export function checkGradient<A extends Attrs>(op: Op<A>, c: OpCase<A>, { h = 1e-5, tolerance = 1e-6 } = {}): void {
  if (!c.wrt?.length) throw new Error(`${op.name}: checkGradient needs \`wrt\`, the inputs whose gradients it checks`);
  const { graph, data } = build(op, c);
  const cpu = createCpuExecutor(graph);
  const analytic = cpu.run(data);
  for (const i of c.wrt) {
    const base = Float64Array.from(data[`in${i}`] as ArrayLike<number>);
    const numeric = base.map((x, k) => {
      const at = (y: number) => {
        const moved = base.slice();
        moved[k] = y;
        return cpu.run({ ...data, [`in${i}`]: moved }).loss?.[0] ?? Number.NaN;
      };
      return (at(x + h) - at(x - h)) / (2 * h);
    });
    const error = relativeError(analytic[`d${i}`] ?? [], numeric);
    if (!(error <= tolerance))
      throw new Error(`${op.name}: gradient of input ${i} is off by ${error}, allowed ${tolerance}`);
  }
}

/** A tensor of integers. */
export function integers(dtype: 'i32' | 'u32', shape: Shape, values: ArrayLike<number>): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = values[i] ?? 0;
  return { dtype, shape, data };
}

/** Traits for planning without a device. */
export { defaultTraits };
