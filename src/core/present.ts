// Lists with entries that are there only in some cases.

/**
 * The entries of a list that are not undefined.
 *
 * @example
 * present(['a', undefined, 'c']); // ['a', 'c']
 */
export const present = <T>(entries: readonly (T | undefined)[]): T[] =>
  entries.filter((entry): entry is T => entry !== undefined);
