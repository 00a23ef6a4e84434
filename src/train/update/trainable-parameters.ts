// Trainable parameters: all weights, those that are not frozen, or a LoRA adapter. Only they have gradients
// and optimizer states, in compact buffers; `ranges` maps these to the weights.

import { check } from '../../core/errors.ts';
import { formatInteger } from '../../core/format-numbers.ts';
import { listed, type Message, msg, option } from '../../core/message.ts';
import { alignedSize, sizeOf } from '../../core/tensor.ts';
import type { Graph } from '../../engine/graph/graph.ts';
import type { Value } from '../../engine/ops/op.ts';
import { type LoraConfig, loraParameters } from '../../model/lora.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import {
  layOutParameters,
  type Parameter,
  type ParameterLayout,
  type ParameterList,
} from '../../model/parameter-layout.ts';
import { globMatcher, hfNames } from '../../model/parameter-names.ts';

/** What to train. [all weights] */
export interface TrainableOptions {
  /** Globs on names of parameters to freeze; see `frozenNames`. */
  readonly freeze?: readonly string[];
  /** Train a LoRA adapter; all weights are frozen. */
  readonly lora?: LoraConfig;
}

/**
 * A range of `length` elements that are contiguous both in the state and in the compact buffer of trainable
 * parameters.
 */
export interface BufferRange {
  /** First element in the state. */
  readonly inState: number;
  /** First element in the buffers of gradients and moments. */
  readonly inBuffer: number;
  readonly length: number;
}

/** The trainable parameters of a model. */
export interface TrainableParameters {
  /** The state that the optimizer updates. */
  readonly state: 'weights' | 'lora';
  /** All parameters of that state. */
  readonly all: ParameterLayout;
  /** The trainable ones, as laid out in the buffers of gradients and moments. */
  readonly parameters: ParameterLayout;
  readonly ranges: readonly BufferRange[];
}

/**
 * Returns the names of the parameters that globs freeze. A glob is compared with the name of the parameter,
 * of its tensor in model.safetensors and in Hugging Face's models (`model.encoder.layers.0.fc1.weight`); see
 * `globMatcher`. Throws a HeddleError if a glob matches nothing, or only a slice of a parameter.
 */
function frozenNames(c: ModelConfig, p: ParameterList, globs: readonly string[]): Set<string> {
  const names = p.all.map((own) => ({ own, known: [own.name, own.stored.name], parts: hfNames(c, own) }));
  const all = names.flatMap(({ known, parts }) => [...known, ...parts]);
  const suggestions = names.flatMap(({ own, parts }) => [own.name, ...parts]);
  const matches = globMatcher('freeze', globs, all, suggestions);
  const frozen = new Set<string>();
  for (const { own, known, parts } of names) {
    const held = parts.filter(matches);
    if (!known.some(matches) && held.length === 0) continue;
    check(
      known.some(matches) || held.length === parts.length,
      () => msg`${listed(held)} is a part of ${own.name}, which is frozen whole or not at all`,
      { area: 'freeze' },
    );
    frozen.add(own.name);
  }
  return frozen;
}

/**
 * Returns the trainable parameters. Throws a HeddleError if a glob matches nothing, or nothing is left to
 * train.
 */
export function trainableParameters(
  c: ModelConfig,
  p: ParameterList,
  { freeze = [], lora }: TrainableOptions = {},
): TrainableParameters {
  check(
    !p.quantization || lora,
    () =>
      msg`${p.quantization?.format} weights cannot be trained; train a LoRA adapter (${option('lora.rank')}), or use f32 weights`,
    { area: 'train' },
  );
  const whole = (state: TrainableParameters['state'], all: ParameterLayout): TrainableParameters => ({
    state,
    all,
    parameters: all,
    ranges: [{ inState: 0, inBuffer: 0, length: all.size }],
  });
  if (lora) {
    check(freeze.length === 0, msg`with a LoRA adapter all weights are frozen; omit ${option('freeze')}`, {
      area: 'train',
    });
    return whole('lora', loraParameters(c, lora));
  }
  const frozen = frozenNames(c, p, freeze);
  const trained = p.all.filter(({ name, frozen: fixed }) => !fixed && !frozen.has(name));
  if (trained.length === p.all.length) return whole('weights', p);
  check(trained.length > 0, msg`${listed(freeze)} leave nothing to train`, { area: 'freeze' });
  const parameters = layOutParameters(trained);
  return { state: 'weights', all: p, parameters, ranges: rangesIn(trained, parameters) };
}

/** States of training with the layout of the trainable parameters. */
const compactStates: readonly string[] = ['gradients', 'accumulated', 'moment1', 'moment2'];

/**
 * The parameters in a state of training, by its name; undefined if it holds other numbers. `weights`: all
 * parameters of the model.
 */
export function parametersIn(
  name: string,
  { state, all, parameters }: TrainableParameters,
  weights: ParameterList,
): ParameterLayout | undefined {
  if (compactStates.includes(name)) return parameters;
  if (name === state || name === 'average' || name === 'previous') return all;
  return name === 'weights' ? weights : undefined;
}

function rangesIn(trained: readonly Parameter[], compact: ParameterLayout): BufferRange[] {
  const ranges: BufferRange[] = [];
  for (const [i, { offset: inState, shape }] of trained.entries()) {
    const { offset: inBuffer } = compact.all[i] as Parameter;
    const length = alignedSize(sizeOf(shape));
    const last = ranges.at(-1);
    if (last && last.inState + last.length === inState)
      ranges[ranges.length - 1] = { ...last, length: last.length + length };
    else ranges.push({ inState, inBuffer, length });
  }
  return ranges;
}

/** Returns the ranges of a buffer as values; a range that is the whole buffer is the buffer itself. */
export const rangeValues = (
  graph: Graph,
  buffer: Value,
  { ranges }: Pick<TrainableParameters, 'ranges'>,
  side: 'inState' | 'inBuffer',
): Value[] =>
  ranges.map((range) =>
    range[side] === 0 && range.length === sizeOf(buffer.shape)
      ? buffer
      : graph.slice(buffer, `${buffer.name}+${range[side]}`, range[side], [range.length]),
  );

/**
 * Returns a message: `frozen: 18 of 46 tensors, 1,204 of 5,010 parameters`; undefined if all weights are
 * trained.
 */
export function describeTrainable(
  { state, all, parameters }: TrainableParameters,
  p: ParameterList,
): Message | undefined {
  if (state === 'lora')
    return msg`LoRA adapter: ${formatInteger(all.count)} parameters in ${all.all.length / 2} linear layers; the ${formatInteger(p.count)} of the model are frozen`;
  if (parameters === all) return undefined;
  const names = all.all.length - parameters.all.length;
  return msg`frozen: ${names} of ${all.all.length} tensors, ${formatInteger(all.count - parameters.count)} of ${formatInteger(all.count)} parameters`;
}
