// The launches of ops that a fused op consists of, each with its usual kernel: the variant `parts` of a fused op.

import type { TensorType } from '../../../core/tensor.ts';
import type { ByName } from '../named-tensors.ts';
import type { Attrs, Launch, LaunchContext, Op, Value, Variant } from '../op.ts';

/** What `parts` need of the context of a launch. */
export type PartsContext = Pick<LaunchContext, 'traits' | 'scratch'>;

const only: Variant = { name: 'only' };

/**
 * Adds the dispatches of an op with its default kernel to `launches`; returns its outputs. Results without a place get
 * scratch memory.
 */
export function applyPart<I extends string, O extends string, A extends Attrs>(
  context: PartsContext,
  launches: Launch[],
  op: Op<I, O, A>,
  inputs: ByName<I, Value>,
  attrs: A,
  places: { readonly [name: string]: Value | undefined } = {},
): ByName<O, Value> {
  const { traits } = context;
  const types = op.shape(inputs as ByName<I, TensorType>, attrs) as Record<string, TensorType | undefined>;
  const outputs: Record<string, Value> = {};
  for (const [name, type] of Object.entries(types))
    if (type) outputs[name] = places[name] ?? context.scratch(type.dtype, type.shape);
  const all = op.variants?.(inputs as ByName<I, TensorType>, attrs, traits) ?? [only];
  const usable = all.filter(({ needsCheck }) => !needsCheck);
  const variant = (traits.software && usable.find(({ forSoftware }) => forSoftware)) || usable[0] || all[0];
  const own = { ...context, variant: variant as Variant, shared: () => false };
  launches.push(...op.launch(inputs, outputs as ByName<O, Value>, attrs, own));
  return outputs as ByName<O, Value>;
}
