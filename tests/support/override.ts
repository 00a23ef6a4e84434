// Objects of classes with some members replaced, for tests that watch calls.

/** `target` with the members in `changes`; its own methods still run on `target`. */
export const override = <T extends object>(target: T, changes: Partial<T>): T =>
  new Proxy(target, {
    get(_, name) {
      if (name in changes) return changes[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
