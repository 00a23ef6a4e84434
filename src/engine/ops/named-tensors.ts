// Tensors of an op by their declared names: `x`, `step?` (optional) and `parts[]` (a list).

import { checkTypes, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** Name of a tensor as an op declares it, without `?` (optional) or `[]` (a list). */
export type NameOf<P extends string> = P extends `${infer N}?` ? N : P extends `${infer N}[]` ? N : P;

/** One `T` for each declared name: `x` is always there, `step?` may be undefined, `parts[]` is a list. */
export type ByName<P extends string, T> = string extends P
  ? { readonly [name: string]: T | readonly T[] | undefined }
  : { readonly [N in P as N extends `${string}?` | `${string}[]` ? never : N]: T } & {
      readonly [N in P as N extends `${infer S}?` ? S : never]?: T;
    } & { readonly [N in P as N extends `${infer S}[]` ? S : never]: readonly T[] };

/** The name of a declared tensor: `step` of `step?`. */
export const tensorName = (declared: string): string =>
  declared.endsWith('?') ? declared.slice(0, -1) : declared.endsWith('[]') ? declared.slice(0, -2) : declared;

/** Lists values in declared order, with the name of each. Throws if a required one is missing. */
export function listed<T>(
  op: string,
  declared: readonly string[],
  given: ByName<string, T>,
): { names: string[]; list: T[] } {
  checkTypes(op, 'an object', { inputs: given });
  const all = declared.flatMap((d) => {
    const name = tensorName(d);
    const tensors = given[name];
    if (tensors === undefined && !d.endsWith('?'))
      throw new HeddleError(msg`${name} is missing`, { area: op });
    return (tensors === undefined ? [] : [tensors].flat()).map((tensor) => ({ name, tensor: tensor as T }));
  });
  return { names: all.map(({ name }) => name), list: all.map(({ tensor }) => tensor) };
}

/** The inverse of `listed`: converts a list with its names to values by declared name. */
export function named<T>(
  declared: readonly string[],
  names: readonly string[],
  list: readonly T[],
): ByName<string, T> {
  const result: Record<string, T | readonly T[] | undefined> = {};
  for (const d of declared) {
    const name = tensorName(d);
    result[name] = d.endsWith('[]') ? list.filter((_, i) => names[i] === name) : list[names.indexOf(name)];
  }
  return result;
}
