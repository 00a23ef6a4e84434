// Checks of the names of options at run time, for programs in JavaScript. checked-entry.ts applies them to what
// `heddle/engine` exports; the library itself calls the functions without them, so its pages load no names.

import { HeddleError } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';

/** All names of the options T. An option that is an object may have a list of its own. */
export type Names<T> = { readonly [Name in keyof Required<T>]: true | object };

/** Throws a HeddleError if options have a name that is not in `names`, or are no object. */
export function checkOptions<T>(area: string, options: T | undefined, names: Names<NoInfer<T>>): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null)
    throw new HeddleError(`${area}: the options are ${JSON.stringify(options)}, they must be an object`);
  checkNames({ area }, Object.keys(names), Object.keys(options));
  for (const [name, nested] of Object.entries<true | object>(names))
    if (nested !== true) checkOptions<unknown>(`${area}: ${name}`, Reflect.get(options, name), nested);
}

/** Names of the options among the arguments of a function, by position from 0. */
export type ArgumentNames<Args> = {
  readonly [I in Exclude<keyof Args, keyof []>]?: Names<NonNullable<Args[I]>>;
};

/** Calls a function after a check of its options. */
export function call<Args extends readonly unknown[], Result>(
  area: string,
  run: (...args: Args) => Result,
  args: Args,
  names: ArgumentNames<NoInfer<Args>>,
): Result {
  for (const [i, argument] of args.entries()) {
    const known: object | undefined = Reflect.get(names, i);
    if (known) checkOptions<unknown>(area, argument, known);
  }
  return run(...args);
}
