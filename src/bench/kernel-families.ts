// The kernel families by name. `heddle bench` and the kernel lab list kernels from them, and build kernels of
// the sizes that a user gives.

import { HeddleError } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { storeAsF16 } from '../engine/graph/f16-storage.ts';
import { attentionFamilies } from './attention-families.ts';
import { decodingFamilies } from './decoding-families.ts';
import { exampleFamilies } from './example-families.ts';
import { guestBenches } from './guest-benches.ts';
import { graphOf, type KernelCase, type KernelSpec } from './kernel-case.ts';
import { checkedValues, type KernelFamily, storage } from './kernel-family.ts';
import { productFamilies } from './product-families.ts';
import { recurrenceFamilies } from './recurrence-families.ts';
import { rowFamilies } from './row-families.ts';
import { sublayerFamilies } from './sublayer-families.ts';
import { trainingFamilies } from './training-families.ts';

/** The families of the main house by name. */
const mainFamilies = {
  ...productFamilies,
  ...attentionFamilies,
  ...rowFamilies,
  ...trainingFamilies,
  ...decodingFamilies,
  ...recurrenceFamilies,
  ...sublayerFamilies,
  ...exampleFamilies,
} satisfies Readonly<Record<string, KernelFamily>>;
/** Name of a kernel family of the main house. */
export type FamilyName = keyof typeof mainFamilies;

/** All families by name, with those of guests. */
export const kernelFamilies: Readonly<Record<string, KernelFamily>> = Object.assign(
  {},
  mainFamilies,
  ...guestBenches.map(({ families }) => families),
);

/** Names of the families. */
export const familyNames: readonly string[] = Object.keys(kernelFamilies);

/**
 * The kernel of a specification; omitted values have their defaults. Throws a HeddleError that names the
 * family, the size and its allowed values.
 */
export function kernelOf({ family: name, values = {} }: KernelSpec): KernelCase {
  const family = Object.hasOwn(kernelFamilies, name) ? kernelFamilies[name] : undefined;
  if (!family)
    throw new HeddleError(msg`There is no kernel family ${name}; there are ${listed(familyNames)}.`);
  const checked = checkedValues(name, family, values);
  const made = family.make(checked as Readonly<Record<string, never>>);
  const kernel = { ...made, group: family.group, spec: { family: name, values: checked } };
  return family.fields.dtype === storage && checked.dtype === 'f16' ? inF16(kernel) : kernel;
}

/** The kernel with f16 for all tensors whose op allows it. Throws a HeddleError if there are none. */
function inF16(kernel: KernelCase): KernelCase {
  const stored: KernelCase = {
    ...kernel,
    name: `${kernel.name}, f16`,
    build(g) {
      kernel.build(g);
      storeAsF16(g, [...g.inputs.values(), ...g.nodes.flatMap((node) => node.outputs)]);
    },
    needs: 'f16',
  };
  const { node } = graphOf(stored);
  if (![...node.inputs, ...node.outputs].some(({ dtype }) => dtype === 'f16'))
    throw new HeddleError(msg`${kernel.name} has no tensor that can be stored as f16; choose f32.`);
  return stored;
}
