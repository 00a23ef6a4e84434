// A binary heap (priority queue).

/** A priority queue. */
export interface Heap<T> {
  push(value: T): void;
  /** Removes and returns the first element; undefined when empty. */
  pop(): T | undefined;
}

/** Creates an empty heap. `before(a, b)`: whether a is popped before b. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  return {
    push(value) {
      let i = items.length;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (!before(value, items[parent] as T)) break;
        items[i] = items[parent] as T;
        i = parent;
      }
      items[i] = value;
    },
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length === 0) return first;
      let i = 0;
      for (let child = 1; child < items.length; child = 2 * i + 1) {
        if (child + 1 < items.length && before(items[child + 1] as T, items[child] as T)) child++;
        if (!before(items[child] as T, last as T)) break;
        items[i] = items[child] as T;
        i = child;
      }
      items[i] = last as T;
      return first;
    },
  };
}
