// The WGSL of kernels, to show and to edit: the dispatches of a variant with source, bindings, parameters and
// grid. Also compiles a user's WGSL, compares it with the float64 reference, and times it next to the
// built-in kernels.

import { HeddleError } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { present } from '../core/present.ts';
import type { DType, Shape } from '../core/tensor.ts';
import { type CompileMessage, compileMessages } from '../engine/gpu/compile-messages.ts';
import type { Device } from '../engine/gpu/device.ts';
import { variantPlan } from '../engine/gpu/isolated-node.ts';
import { type TimeOptions, timeInTurn } from '../engine/gpu/plan-timing.ts';
import { builtInShaders, shaderOf } from '../engine/gpu/shaders.ts';
import { type Declarations, declarations, evaluate, replaceConsts } from '../engine/gpu/wgsl.ts';
import type { DeviceTraits } from '../engine/ops/device-traits.ts';
import type { Node } from '../engine/ops/op.ts';
import { mutatedBy } from '../engine/ops/op-nodes.ts';
import { candidates } from '../engine/plan/kernel-choices.ts';
import type { Pass, Plan, Range } from '../engine/plan/plan.ts';
import type {
  CheckedPlan,
  IsolatedKernel,
  KernelResult,
  PreparedKernel,
  VariantResult,
} from './check-kernel.ts';
import { checkPlan, isolateKernel, resultOf } from './check-kernel.ts';
import type { KernelCase } from './kernel-case.ts';

/** A tensor that a kernel reads or writes. */
export interface ShownTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly role: 'input' | 'output' | 'changed';
}

/** A dispatch. */
export interface ShownPass {
  readonly shader: string;
  readonly entry: string;
  /** WGSL with its includes and the values of its `const`s, before loops are unrolled. */
  readonly source: string;
  /** Values of the `override`s. */
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
  /** WGSL variable -> name of the tensor, or of memory for partial results (`scratch NAME`). */
  readonly bind: Readonly<Record<string, string>>;
  readonly grid: readonly [number, number, number];
}

/** A kernel with all its variants; plain data. */
export interface ShownKernel {
  readonly name: string;
  readonly op: string;
  readonly tensors: readonly ShownTensor[];
  readonly variants: readonly { readonly name: string; readonly passes: readonly ShownPass[] }[];
}

/** A dispatch by the user. */
export interface OwnKernel {
  /** Name in the results. */
  readonly label: string;
  /** The variant whose dispatch `pass` it replaces; -1: it replaces all dispatches. */
  readonly variant: string;
  readonly pass: number;
  readonly source: string;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
  readonly bind: Readonly<Record<string, string>>;
  readonly grid: readonly number[];
}

/** Result of a user's kernel. */
export interface TriedKernel {
  readonly messages: readonly CompileMessage[];
  /** Results with the built-in variants, the fastest first; absent if it does not compile. */
  readonly result?: KernelResult;
  /** Position of the maximum error, if the result is wrong. */
  readonly worst?: CheckedPlan['worst'];
}

/** Entry points, bindings, `Params` and overrides of a user's WGSL; undefined while it is not complete. */
export function declarationsIn(source: string): Declarations | undefined {
  try {
    return declarations(source);
  } catch {
    return undefined;
  }
}

/**
 * The value of a number or of an integer expression of sizes, such as `(N + 15) / 16`. Throws a HeddleError
 * that starts with `title` for other texts.
 */
export function numberIn(text: string, title: string, sizes: ReadonlyMap<string, number>): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  const value = Number.isNaN(number) ? evaluate(text, sizes) : number;
  if (Number.isFinite(value)) return value;
  const names = [...sizes.keys()].join(', ');
  throw new HeddleError(
    msg`${title} is “${text.slice(0, 40)}”; it must be a number, or an expression of ${names || 'numbers'}.`,
  );
}

/** The dispatches of all variants of a kernel that an adapter can run; the default variant is first. */
export function showKernel(kernel: KernelCase, traits: DeviceTraits): ShownKernel {
  const isolated = isolateKernel(kernel);
  const { node } = isolated;
  const variants = candidates(node, traits).map((variant) => {
    const { name } = variant;
    const plan = variantPlan(isolated, variant, traits);
    const ranges = rangesOf(isolated, plan);
    return { name, passes: plan.passes.map((pass) => showPass(pass, ranges)) };
  });
  return { name: kernel.name, op: node.op.name, tensors: tensorsOf(node), variants };
}

/** Names of the tensors of a node; those of a list are numbered. */
const namesOf = (names: readonly string[]): string[] =>
  names.map((name, i) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}${i - names.indexOf(name)}`,
  );

function tensorsOf(node: Node): ShownTensor[] {
  const changed = new Set(mutatedBy(node));
  const inputs = namesOf(node.inputNames).map((name, i): ShownTensor => {
    const v = node.inputs[i] as Node['inputs'][number];
    return { name, dtype: v.dtype, shape: v.shape, role: changed.has(v) ? 'changed' : 'input' };
  });
  const outputs = namesOf(node.outputNames).map((name, i): ShownTensor => {
    const v = node.outputs[i] as Node['outputs'][number];
    return { name, dtype: v.dtype, shape: v.shape, role: 'output' };
  });
  return [...inputs, ...outputs];
}

/** Memory of a plan by the names of tensors, and of memory for partial results. */
function rangesOf({ node, copy }: IsolatedKernel, plan: Plan): Map<string, Range> {
  const ranges = new Map<string, Range>();
  const placed = { ...plan.inputs, ...plan.states, ...plan.outputs };
  for (const [i, name] of namesOf(node.inputNames).entries()) {
    const place = placed[copy.inputs[i]?.name ?? ''];
    if (place) ranges.set(name, place.range);
  }
  for (const [i, name] of namesOf(node.outputNames).entries()) {
    const place = placed[`out${i}`];
    if (place) ranges.set(name, place.range);
  }
  for (const { bind } of plan.passes)
    for (const [variable, range] of Object.entries(bind))
      if (!tensorAt(ranges, range)) ranges.set(`scratch ${variable}`, range);
  return ranges;
}

const tensorAt = (ranges: ReadonlyMap<string, Range>, { buffer, offset, bytes }: Range): string | undefined =>
  [...ranges].find(([, r]) => r.buffer === buffer && r.offset === offset && r.bytes === bytes)?.[0];

/** Memory of a binding that a dispatch does not use, as a tensor to choose. */
const unused = 'unused';

function showPass(
  { shader: shaderRef, entry, constants, params, bind, absent = [], grid }: Pass,
  ranges: Map<string, Range>,
): ShownPass {
  const shader = shaderOf(shaderRef);
  const given = Object.entries(constants);
  const consts = Object.fromEntries(given.filter(([name]) => !shader.overrides.has(name)));
  const used = new Set(shader.entries.get(entry)?.map(({ name }) => name));
  const shown = [
    ...Object.entries(bind).map(([variable, range]) => [variable, tensorAt(ranges, range) ?? ''] as const),
    ...absent.map((variable) => [variable, unused] as const),
  ].filter(([variable]) => used.has(variable));
  return {
    shader: shader.name,
    entry,
    // Included files are part of the text already.
    source: replaceConsts(shader.source, consts).replace(/^\/\/ include /gm, '// with '),
    constants: Object.fromEntries(given.filter(([name]) => shader.overrides.has(name))),
    params: Object.fromEntries(shader.params.map(({ name }) => [name, params[name] ?? 0])),
    bind: Object.fromEntries(shown),
    grid,
  };
}

/**
 * Compiles a user's kernel, compares its results with the reference and times it in turn with the fastest of
 * `ours`. Throws a HeddleError if a binding, a parameter or the grid is missing or wrong.
 */
export async function tryKernel(
  device: Device,
  prepared: PreparedKernel,
  own: OwnKernel,
  ours: KernelResult,
  options: TimeOptions,
): Promise<TriedKernel> {
  const source = builtInShaders.sourceOf({ name: 'own', source: own.source });
  const messages = await compileMessages(device.gpu, source);
  if (messages.some(({ type }) => type === 'error')) return { messages };
  const plan = ownPlan(prepared, own, source, device.traits);
  const checked = await checkPlan(device, prepared, plan);
  try {
    const { error, passed, worst } = checked;
    const all = ours.variants.filter(({ variant }) => variant !== own.label);
    const result = (user: VariantResult, others = all) => resultOf(prepared, ours.flops, [user, ...others]);
    if (!passed) return { messages, result: result({ variant: own.label, error, passed }), worst };
    const [first, ...others] = all;
    const fastest = first?.passed ? first : undefined;
    const fastestPlan =
      fastest &&
      (await checkPlan(device, prepared, variantPlan(prepared, { name: fastest.variant }, device.traits)));
    try {
      const runners = present([checked.runner, fastestPlan ? fastestPlan.runner : undefined]);
      const [time, fastestTime] = await timeInTurn(device, runners, options);
      const timed = { variant: own.label, error, passed, ...time };
      return { messages, result: result(timed, fastest ? [{ ...fastest, ...fastestTime }, ...others] : all) };
    } finally {
      fastestPlan?.destroy();
    }
  } finally {
    checked.destroy();
  }
}

/** The plan of a variant in which a user's dispatch replaces one dispatch or all. */
function ownPlan(prepared: PreparedKernel, own: OwnKernel, source: string, traits: DeviceTraits): Plan {
  const plan = variantPlan(prepared, { name: own.variant }, traits);
  const replaced = own.pass < 0 ? undefined : plan.passes[own.pass];
  if (own.pass >= plan.passes.length)
    throw new HeddleError(
      msg`${own.variant} has ${plan.passes.length} dispatches, there is no dispatch ${own.pass + 1}.`,
    );
  const userPass = ownPass(prepared, own, source, plan, replaced);
  return {
    ...plan,
    passes: replaced ? plan.passes.map((pass) => (pass === replaced ? userPass : pass)) : [userPass],
  };
}

function ownPass(
  prepared: PreparedKernel,
  own: OwnKernel,
  source: string,
  plan: Plan,
  replaced: Pass | undefined,
): Pass {
  const { node } = prepared;
  const { entries, params, overrides, consts } = declarations(source);
  const bindings = entries.get(own.entry);
  if (!bindings)
    throw new HeddleError(
      msg`There is no @compute function ${own.entry || '(no name)'}; there are: ${listed([...entries.keys()])}`,
    );
  const ranges = rangesOf(prepared, plan);
  const types = new Map(tensorsOf(node).map(({ name, dtype }) => [name, dtype]));
  const bind: Record<string, Range> = {};
  const f16: string[] = [];
  const absent: string[] = [];
  for (const { name, wgslType, group } of bindings) {
    if (group !== 0)
      throw new HeddleError(msg`${name} is in group ${group}; all bindings must be in @group(0).`);
    if (wgslType === 'Params') continue;
    const tensor = own.bind[name] ?? '';
    if (tensor === unused) {
      absent.push(name);
      continue;
    }
    const range = ranges.get(tensor);
    if (!range && wgslType === 'Step') continue;
    if (!range)
      throw new HeddleError(msg`Choose the tensor of ${name}: one of ${listed([...ranges.keys()])}.`);
    bind[name] = range;
    if (types.get(tensor) === 'f16') f16.push(name);
  }
  for (const { name } of params)
    if (!Number.isFinite(own.params[name])) throw new HeddleError(msg`Params.${name} needs a number.`);
  const [x = 0, y = 0, z = 0] = own.grid;
  for (const n of [x, y, z])
    if (!Number.isInteger(n) || n < 1 || n > 65_535)
      throw new HeddleError(
        msg`The grid is ${listed(own.grid, ' × ')}; each must be a whole number from 1 to 65535.`,
      );
  const lanes = consts.has('LANES') ? Number(/^const LANES(?:: u32)? = (\d+)/m.exec(source)?.[1]) : undefined;
  const constants = Object.fromEntries(Object.entries(own.constants).filter(([name]) => overrides.has(name)));
  return {
    op: node.op.name,
    scope: '',
    variant: own.label,
    shader: { name: 'own', source: source.replace(/^\/\/ include /gm, '// with ') },
    entry: own.entry,
    constants: lanes ? { ...constants, LANES: lanes } : constants,
    params: own.params,
    bind,
    absent,
    f16: f16.length > 0 ? f16.sort() : undefined,
    clear: replaced?.clear,
    grid: [x, y, z],
    flops: replaced?.flops ?? plan.flops,
    node: plan.passes[0]?.node ?? 0,
    outputs: plan.passes[0]?.outputs ?? [],
  };
}
