// Checks an op against its float64 reference: on a GPU for every variant (checkOp), and its gradient against
// finite differences (checkGradient).

import { checkTypes } from '../core/errors.ts';
import { numbersOf, toFloat16 } from '../core/float16.ts';
import { random } from '../core/random.ts';
import { relativeError } from '../core/relative-error.ts';
import { f32, type Shape, sizeOf, type Tensor } from '../core/tensor.ts';
import { createCpuExecutor } from './cpu/executor.ts';
import type { Device } from './gpu/device.ts';
import { type Expected, LoadedPlan } from './gpu/isolated-node.ts';
import { storeAsF16 } from './graph/f16-storage.ts';
import { gradients } from './graph/gradient.ts';
import { Graph } from './graph/graph.ts';
import { weightedLossOp } from './graph/weighted-loss.ts';
import type { DeviceTraits } from './ops/device-traits.ts';
import { type ByName, listed, type NameOf, named } from './ops/named-tensors.ts';
import type { AnyOp, Attrs, Node, Op, Value } from './ops/op.ts';
import { variantsOf } from './ops/op-nodes.ts';
import { checkDevice, checkFieldTypes, checkObject, checkTraits, stepFields } from './ops/option-checks.ts';
import { type StepScalars, stepData, stepWords } from './ops/step-scalars.ts';
import { defaultVariant, variantKey } from './plan/kernel-choices.ts';
import { makePlan } from './plan/planner.ts';

/** Data of the inputs of an op by name. `'step'`: the step scalars. */
export type OpCheckInputs<I extends string> = ByName<I, Tensor | 'step'>;

/** A case to check an op with: inputs, attributes, and what to check. */
export interface OpCase<I extends string, O extends string, A extends Attrs> {
  inputs: OpCheckInputs<I>;
  attrs: A;
  /** Inputs whose gradients to check, for a random weighting of the outputs `through`. Default none. */
  wrt?: readonly NameOf<I>[];
  /** Outputs that are part of the loss. Default the first. */
  through?: readonly NameOf<O>[];
  /** Step scalars that differ from the defaults: learning rate, seed, step number. */
  step?: Partial<StepScalars>;
  /** Maximum of max|x - ref| / max|ref|. Default 1e-5. */
  tolerance?: number;
  /** Tolerance of gradients. Default `tolerance`. */
  gradTolerance?: number;
  /**
   * Check only this kernel variant, of backward nodes too if they have it. Default every variant for the
   * device.
   */
  variant?: string;
  /** Check only the kernels that nodes take before tuning. Default false: every variant for the device. */
  untuned?: boolean;
  /** Families of kernel variants to leave out, of each node that has others. Default none. */
  without?: readonly string[];
  /**
   * Store all tensors as f16 that the nodes support; one unit in the last place of f16 is added to the
   * tolerance.
   */
  f16?: boolean;
  /** Traits that replace those of the device. */
  traits?: Partial<DeviceTraits>;
}

/**
 * Returns a float32 tensor of standard normal numbers times `scale`.
 *
 * @example
 * const x = randomTensor([4, 8], 1); // seed 1
 */
export function randomTensor(shape: Shape, seed: number, scale = 1): Tensor {
  checkTypes('randomTensor', 'a list of whole numbers', { shape });
  checkTypes('randomTensor', 'a number', { seed, scale });
  const r = random(seed);
  return f32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => r.normal() * scale),
  );
}

const defaultStep: StepScalars = {
  learningRate: 1e-3,
  tokenWeight: 1,
  seed: 7,
  step: 3,
  keep: 1,
  position: 0,
};

/**
 * Adds a node of an op to a graph. Its inputs become inputs of the graph, or states if the op changes them.
 * `input` makes an input; default: `graph.input`. Returns the node, and the data of these inputs and states
 * by name, without `step`.
 */
export function applyToInputs<I extends string, O extends string, A extends Attrs>(
  graph: Graph,
  op: Op<I, O, A>,
  inputs: OpCheckInputs<I>,
  attrs: A,
  input: (name: string, tensor: Tensor) => Value = (name, t) => graph.input(name, t.dtype, t.shape),
): { readonly node: Node; readonly tensors: ReadonlyMap<string, Tensor> } {
  const { names, list } = listed<Tensor | 'step'>(op.name, op.inputs, inputs);
  const tensors = new Map<string, Tensor>();
  const values = list.map((t, i): Value => {
    if (t === 'step') return graph.input('step', 'u32', [stepWords]);
    const name = names[i] as string;
    const key = names.indexOf(name) === i ? name : `${name}${i}`;
    tensors.set(key, t);
    return (op.mutates as readonly string[] | undefined)?.includes(key)
      ? graph.state(key, t.dtype, t.shape)
      : input(key, t);
  });
  graph.apply(op as AnyOp, named(op.inputs, names, values), attrs);
  return { node: graph.nodes.at(-1) as Node, tensors };
}

/** Throws a HeddleError about the function `area` unless these are an op and a case of it. */
function checkCase<I extends string, O extends string, A extends Attrs>(
  area: string,
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
): void {
  checkFieldTypes<Pick<AnyOp, 'name' | 'inputs' | 'launch'>>(
    area,
    op,
    { name: 'a text', inputs: 'a list', launch: 'a function' },
    'op',
  );
  checkObject(area, c, {
    inputs: 'an object',
    attrs: 'an object',
    wrt: 'a list?',
    through: 'a list?',
    step: 'an object?',
    tolerance: 'a number?',
    gradTolerance: 'a number?',
    variant: 'a text?',
    untuned: 'a boolean?',
    without: 'a list?',
    f16: 'a boolean?',
    traits: 'an object?',
  });
  for (const [name, given] of Object.entries<unknown>(c.inputs))
    for (const tensor of [given].flat())
      if (tensor !== 'step' && tensor !== undefined)
        checkFieldTypes(area, tensor as Tensor, tensorFields, `inputs.${name}`);
  checkTraits(area, c.traits, true);
  if (c.step) checkObject(area, c.step, stepFields, 'step');
}

const tensorFields = {
  dtype: 'a text',
  shape: 'a list of whole numbers',
  data: 'a list of numbers',
} as const;

function build<I extends string, O extends string, A extends Attrs>(op: Op<I, O, A>, c: OpCase<I, O, A>) {
  const graph = new Graph();
  const data: Record<string, Tensor['data']> = { step: stepData({ ...defaultStep, ...c.step }) };
  const states: Record<string, Tensor['data']> = {};
  const { node, tensors } = applyToInputs(graph, op, c.inputs, c.attrs);
  if (!graph.inputs.has('step')) delete data.step;
  for (const [name, t] of tensors) (graph.states.has(name) ? states : data)[name] = t.data;
  const outputOf = (name: string | undefined) =>
    node.outputs[node.outputNames.indexOf(name as string)] as Value;
  for (const [i, v] of node.outputs.entries()) {
    const name = node.outputNames[i] as string;
    graph.output(node.outputNames.indexOf(name) === i ? name : `${name}${i}`, v);
  }
  if (c.wrt) {
    const through: readonly string[] = c.through ?? [node.outputNames[0] as string];
    const weights = through.map((name) => {
      const t = randomTensor(outputOf(name).shape, 1000 + node.outputNames.indexOf(name));
      data[`weights of ${name}`] = t.data;
      return graph.input(`weights of ${name}`, 'f32', t.shape);
    });
    const { loss } = graph.apply(weightedLossOp, { xs: through.map(outputOf), weights });
    const names: readonly string[] = c.wrt;
    const wrt = names.map((name) => node.inputs[node.inputNames.indexOf(name)] as Value);
    for (const [k, d] of gradients(graph, loss, wrt).entries()) {
      if (!d) throw new Error(`${op.name}: no gradient for input ${names[k]}`);
      graph.output(gradientName(names[k] as string), d);
    }
    graph.output('loss', loss);
  }
  if (c.f16) {
    const inputs = [...graph.inputs.values()];
    storeAsF16(graph, [...inputs, ...graph.nodes.flatMap((n) => n.outputs)]);
    for (const v of inputs)
      if (v.dtype === 'f16') data[v.name] = toFloat16(Float32Array.from(data[v.name] as Float32Array));
  }
  return { graph, data, states };
}

/** Name of the output that is the gradient of an input. */
const gradientName = (name: string): string => `d(${name})`;

/**
 * Runs every kernel variant of an op on a GPU, forward and backward, and compares it with the float64
 * reference. Memory is filled with NaN first, so that a read of unwritten memory fails the check. Returns the
 * error of each tensor, max|x - ref| / max|ref|, by `name (variants)`. Throws if one exceeds its tolerance.
 *
 * @example
 * const inputs = { x: randomTensor([5, 12], 1), gamma: randomTensor([12], 2), beta: randomTensor([12], 3) };
 * await checkOp(device, layerNormOp, { inputs, attrs: { eps: 1e-5 } });
 */
export async function checkOp<I extends string, O extends string, A extends Attrs>(
  device: Device,
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
): Promise<Record<string, number>> {
  checkDevice('checkOp', device);
  checkCase('checkOp', op, c);
  const traits = { ...device.traits, ...c.traits };
  const reference = build(op, c);
  const expected = expectedOf(reference, c);
  const errors: Record<string, number> = {};
  const failures: string[] = [];
  const variantsOfNode = (n: Node): readonly string[] => {
    if (c.untuned) return [defaultVariant(n, traits).name];
    const variants = variantsOf(n, traits);
    const kept = variants.filter(({ name, family = name }) => !c.without?.includes(family));
    const all = (kept.length > 0 ? kept : variants).map(({ name }) => name);
    return c.variant && (n.op === op || all.includes(c.variant)) ? [c.variant] : all;
  };
  // Backward nodes may have more variants than the op: round n uses variant n of each node.
  const rounds = Math.max(1, ...reference.graph.nodes.map((n) => variantsOfNode(n).length));
  for (let round = 0; round < rounds; round++) {
    const { graph, data, states } = build(op, c);
    const kernelChoices: Record<string, string> = {};
    for (const n of graph.nodes) {
      const own = variantsOfNode(n);
      kernelChoices[variantKey(n)] = own[round % own.length] as string;
    }
    const plan = makePlan(graph, { traits, kernelChoices });
    const loaded = new Map([...Object.entries(data), ...Object.entries(states)]);
    const ran = await LoadedPlan.load(device, plan, loaded, { poison: true });
    try {
      await ran.run();
      for await (const { name, error, allowed, passed } of ran.compare(expected)) {
        const key = `${name} (${Object.values(kernelChoices).join(', ')})`;
        errors[key] = error;
        if (!passed) failures.push(`${key}: error ${error}, allowed ${allowed}`);
      }
    } finally {
      ran.destroy();
    }
  }
  if (failures.length) throw new Error(`${op.name} differs from its reference:\n${failures.join('\n')}`);
  return errors;
}

/** Outputs and changed states of a case by its float64 references, and the error that is allowed in each. */
function expectedOf<I extends string, O extends string, A extends Attrs>(
  { graph, data, states }: ReturnType<typeof build>,
  { tolerance = 1e-5, gradTolerance = tolerance, f16 }: OpCase<I, O, A>,
): Expected[] {
  const cpu = createCpuExecutor(graph);
  for (const [name, d] of Object.entries(states)) cpu.state(name).set(numbersOf(d));
  const outputs = cpu.run(Object.fromEntries(Object.entries(data).map(([name, d]) => [name, numbersOf(d)])));
  return [...Object.keys(outputs).filter((name) => name !== 'loss'), ...Object.keys(states)].map((name) => {
    const isGradient = name.startsWith('d(');
    // Both sides round to 11 bits, so they can differ by a unit in the last place. Gradients go through more
    // roundings.
    const rounding = !f16 ? 0 : isGradient ? 2 ** -8 : 2 ** -10;
    const allowed = (isGradient ? gradTolerance : tolerance) + rounding;
    return { name, tensor: name, data: outputs[name] ?? cpu.state(name), allowed };
  });
}

/**
 * Compares the gradient of an op with central differences (step `h`, default 1e-5), both from the float64
 * references on the CPU. Throws if an error, max|x - ref| / max|ref|, exceeds `tolerance` (default 1e-6); the
 * tolerances of the case are for GPUs.
 *
 * @example
 * const inputs = { x: randomTensor([5, 12], 1), gamma: randomTensor([12], 2), beta: randomTensor([12], 3) };
 * checkGradient(layerNormOp, { inputs, attrs: { eps: 1e-5 }, wrt: ['x', 'gamma', 'beta'] });
 */
export function checkGradient<I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
  options: { readonly h?: number; readonly tolerance?: number } = {},
): void {
  checkCase('checkGradient', op, c);
  checkObject('checkGradient', options, { h: 'a number?', tolerance: 'a number?' });
  const { h = 1e-5, tolerance = 1e-6 } = options;
  if (!c.wrt?.length)
    throw new Error(`${op.name}: checkGradient needs \`wrt\`, the inputs whose gradients it checks`);
  const { graph, data } = build(op, c);
  const cpu = createCpuExecutor(graph);
  const analytic = cpu.run(data);
  for (const name of c.wrt) {
    const base = Float64Array.from(data[name] as ArrayLike<number>);
    const numeric = base.map((x, k) => {
      const at = (y: number) => {
        const moved = base.slice();
        moved[k] = y;
        return cpu.run({ ...data, [name]: moved }).loss?.[0] ?? Number.NaN;
      };
      return (at(x + h) - at(x - h)) / (2 * h);
    });
    const error = relativeError(analytic[gradientName(name)] ?? [], numeric);
    if (!(error <= tolerance))
      throw new Error(`${op.name}: gradient of input ${name} is off by ${error}, allowed ${tolerance}`);
  }
}
