// Values on their way between Node and a page: JSON, in which numbers that JSON cannot write survive.

const key = '$number';

/** JSON of a value; NaN and infinities are kept. */
export const encode = (value: unknown): string =>
  JSON.stringify(value, (_, x: unknown) => (typeof x === 'number' && !Number.isFinite(x) ? { [key]: String(x) } : x)) ??
  'null';

/** The value of what `encode` made. */
export const decode = (text: string): unknown =>
  JSON.parse(text, (_, x: unknown) =>
    typeof x === 'object' && x !== null && key in x ? Number((x as Record<string, unknown>)[key]) : x,
  );
