// Polyfill of the iterator helpers (Iterator.prototype.map and others), which jax-js calls and Node 20 lacks.

type Step = (value: unknown, index: number) => unknown;

const helpers = {
  *map(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) yield f(x, i++);
  },
  *filter(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) if (f(x, i++)) yield x;
  },
  *flatMap(this: Iterable<unknown>, f: (value: unknown, index: number) => Iterable<unknown>) {
    let i = 0;
    for (const x of this) yield* f(x, i++);
  },
  *take(this: Iterable<unknown>, n: number) {
    let left = n;
    if (left > 0)
      for (const x of this) {
        yield x;
        if (--left <= 0) return;
      }
  },
  *drop(this: Iterable<unknown>, n: number) {
    let left = n;
    for (const x of this) if (left-- <= 0) yield x;
  },
  toArray(this: Iterable<unknown>) {
    return [...this];
  },
  forEach(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) f(x, i++);
  },
  some(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) if (f(x, i++)) return true;
    return false;
  },
  every(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) if (!f(x, i++)) return false;
    return true;
  },
  find(this: Iterable<unknown>, f: Step) {
    let i = 0;
    for (const x of this) if (f(x, i++)) return x;
    return undefined;
  },
  reduce(this: Iterable<unknown>, f: (a: unknown, b: unknown) => unknown, ...start: [] | [unknown]) {
    return start.length ? [...this].reduce(f, start[0]) : [...this].reduce(f);
  },
};

/** Adds the missing methods. */
export function installIteratorHelpers(): void {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
  for (const [name, value] of Object.entries(helpers))
    if (!(name in prototype))
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}
