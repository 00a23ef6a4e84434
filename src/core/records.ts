// Parsed JSON of unknown structure.

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Returns whether a value is a JSON object: neither an array nor null. */
export const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x);
