// A device that counts created objects and submissions, and can report errors on demand.

import { type Device, wrapDevice } from '../../src/engine/gpu/device.ts';

/** Calls by name since the last `reset`. */
export interface WatchedDevice {
  readonly device: Device;
  readonly calls: Map<string, number>;
  /** Labels of buffers that were created and not destroyed. */
  readonly alive: Map<GPUBuffer, string>;
  reset(): void;
  /**
   * Results of the next `popErrorScope` calls that end scopes for out-of-memory errors, instead of the real
   * results.
   */
  readonly scopes: (GPUError | null)[];
}

/** Wraps `gpu`; calls go to the real device. */
export function watchedDevice(gpu: GPUDevice): WatchedDevice {
  const calls = new Map<string, number>();
  const alive = new Map<GPUBuffer, string>();
  const scopes: (GPUError | null)[] = [];
  const filters: GPUErrorFilter[] = [];
  const count = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const spy = <T extends object>(target: T, prefix: string, more: Record<string, unknown> = {}): T =>
    new Proxy(target, {
      get(_, key) {
        if (typeof key === 'string' && key in more) return more[key];
        const value = Reflect.get(target, key, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          count(prefix + String(key));
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  const queue = spy(gpu.queue, 'queue.');
  const watched = spy(gpu, '', {
    queue,
    createBuffer(descriptor: GPUBufferDescriptor) {
      count('createBuffer');
      const buffer = gpu.createBuffer(descriptor);
      alive.set(buffer, descriptor.label ?? '');
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        alive.delete(buffer);
        return destroy();
      };
      return buffer;
    },
    pushErrorScope(filter: GPUErrorFilter) {
      count('pushErrorScope');
      filters.push(filter);
      gpu.pushErrorScope(filter);
    },
    async popErrorScope() {
      count('popErrorScope');
      const filter = filters.pop();
      const real = await gpu.popErrorScope();
      return (filter === 'out-of-memory' ? scopes.shift() : undefined) ?? real;
    },
  });
  return {
    device: { ...wrapDevice(gpu), gpu: watched },
    calls,
    alive,
    scopes,
    reset: () => calls.clear(),
  };
}
