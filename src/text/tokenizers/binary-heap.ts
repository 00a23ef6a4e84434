// A binary heap (priority queue).

/** Creates an empty heap. `before(a, b)`: whether a is popped before b. */
export function createHeap<T>(before: (a: T, b: T) => boolean) {
  const items: T[] = [];
  return {
    push(value: T): void {
      let i = items.length;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (!before(value, items[parent] as T)) break;
        items[i] = items[parent] as T;
        i = parent;
      }
      items[i] = value;
    },
    /** Removes and returns the first element; undefined if the heap is empty. */
    pop(): T | undefined {
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
