// What a training changes: all weights, those that are not frozen, or an adapter beside them. Gradients and the optimizer's moments
// exist for these alone, side by side in banks of their own; `runs` says where they lie among the weights.

import { check } from '../core/errors.ts';
import { sizeOf } from '../core/tensor.ts';
import type { Graph } from '../graph/graph.ts';
import { type LoraConfig, loraParameters } from '../model/lora.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { layOutParameters, type Parameter, type ParameterList } from '../model/parameter-layout.ts';
import { globMatcher, hfNames, noMatchError } from '../model/parameter-names.ts';
import type { Value } from '../ops/op.ts';

/** What to train; everything where nothing is said. */
export interface TrainableOptions {
  /** Globs on names of parameters that stay as they are; see `frozenNames`. */
  readonly freeze?: readonly string[];
  /** Train a low-rank adapter; all weights stay as they are. */
  readonly lora?: LoraConfig;
}

/** Neighbours in the bank of trained parameters that are neighbours in the state too: `length` elements. */
export interface Run {
  /** First element in the state. */
  readonly inState: number;
  /** First element in the bank of gradients, and of moments. */
  readonly inBank: number;
  readonly length: number;
}

/** What a training changes. */
export interface TrainableParameters {
  /** The state that is changed. */
  readonly state: 'weights' | 'lora';
  /** All parameters of that state. */
  readonly all: ParameterList;
  /** Those that are trained, as the banks of gradients and moments have them. */
  readonly parameters: ParameterList;
  readonly runs: readonly Run[];
}

/**
 * Names of the parameters that globs freeze. A parameter has its own name, that of the tensor in model.safetensors that holds it, and
 * Hugging Face's (`model.encoder.layers.0.fc1.weight`); `names.pattern` says how a glob is matched. Throws a HeddleError where a glob
 * matches nothing, or only a part of a parameter.
 */
export function frozenNames(c: ModelConfig, p: ParameterList, globs: readonly string[]): Set<string> {
  const tests = globs.map(globMatcher);
  const names = p.all.map((own) => ({
    own,
    known: [own.name, own.stored.name],
    parts: hfNames(own, c.tie === 'all'),
  }));
  for (const [i, test] of tests.entries())
    if (!names.some(({ known, parts }) => [...known, ...parts].some(test)))
      throw noMatchError(
        'freeze',
        globs[i] as string,
        names.flatMap(({ own, parts }) => [own.name, ...parts]),
      );
  const frozen = new Set<string>();
  for (const { own, known, parts } of names) {
    const hit = (name: string) => tests.some((test) => test(name));
    const held = parts.filter(hit);
    if (!known.some(hit) && held.length === 0) continue;
    check(
      known.some(hit) || held.length === parts.length,
      () => `freeze: ${held.join(', ')} is a part of ${own.name}, which is frozen whole or not at all`,
    );
    frozen.add(own.name);
  }
  return frozen;
}

/** What is trained of a model. Throws a HeddleError where a pattern matches nothing, or nothing is left to train. */
export function trainableParameters(
  c: ModelConfig,
  p: ParameterList,
  { freeze = [], lora }: TrainableOptions = {},
): TrainableParameters {
  if (lora) {
    check(freeze.length === 0, 'train: with an adapter all weights are frozen; leave --freeze out');
    const all = loraParameters(c, lora);
    return { state: 'lora', all, parameters: all, runs: [{ inState: 0, inBank: 0, length: all.size }] };
  }
  const whole: TrainableParameters = {
    state: 'weights',
    all: p,
    parameters: p,
    runs: [{ inState: 0, inBank: 0, length: p.size }],
  };
  if (freeze.length === 0) return whole;
  const frozen = frozenNames(c, p, freeze);
  const trained = p.all.filter(({ name }) => !frozen.has(name));
  check(trained.length > 0, `freeze: ${freeze.join(', ')} leave nothing to train`);
  const parameters = layOutParameters(trained);
  return { state: 'weights', all: p, parameters, runs: runsOf(trained, parameters) };
}

function runsOf(trained: readonly Parameter[], compact: ParameterList): Run[] {
  const runs: Run[] = [];
  for (const [i, { offset: inState, shape }] of trained.entries()) {
    const { offset: inBank } = compact.all[i] as Parameter;
    const length = Math.ceil(sizeOf(shape) / 64) * 64;
    const last = runs.at(-1);
    if (last && last.inState + last.length === inState)
      runs[runs.length - 1] = { ...last, length: last.length + length };
    else runs.push({ inState, inBank, length });
  }
  return runs;
}

/** The runs of a bank that is laid out as the state or as that of gradients; one that is the whole bank is itself. */
export function runValues(
  graph: Graph,
  bank: Value,
  { runs }: Pick<TrainableParameters, 'runs'>,
  side: 'inState' | 'inBank',
): Value[] {
  return runs.map((run) =>
    run[side] === 0 && run.length === sizeOf(bank.shape)
      ? bank
      : graph.slice(bank, `${bank.name}+${run[side]}`, run[side], [run.length]),
  );
}

/** A line for people: `frozen: 18 of 46 parameters, 1,204 of 5,010 weights`. Nothing where all are trained. */
export function describeTrainable(
  { state, all, parameters }: TrainableParameters,
  p: ParameterList,
): string | undefined {
  const number = (n: number) => n.toLocaleString('en');
  if (state === 'lora')
    return `adapter: ${number(all.count)} weights in ${all.all.length / 2} layers, all ${number(p.count)} others frozen`;
  if (parameters === all) return undefined;
  const names = all.all.length - parameters.all.length;
  return `frozen: ${names} of ${all.all.length} parameters, ${number(all.count - parameters.count)} of ${number(all.count)} weights`;
}
