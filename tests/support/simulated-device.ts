// A WebGPU device with less memory, or with a watchdog that loses it after a long submission.

import type { AdapterShape, Watchdog } from './adapter-shapes.mjs';

/** Workgroups of the dispatches that an object has recorded. */
const workgroups = new WeakMap<object, number>();

const add = (to: object, count: number) => workgroups.set(to, (workgroups.get(to) ?? 0) + count);

/** Replaces methods of an object; each gets the original, bound to the object. */
function override<T extends object>(target: T, methods: Record<string, unknown>): T {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return target;
}

/** Gives `device` the memory and the watchdog of a shape. */
export function simulate(device: GPUDevice, { memory, watchdog }: AdapterShape): void {
  if (memory !== undefined) limitMemory(device, memory);
  if (watchdog) watch(device, watchdog);
}

/** Buffers above a total of `limit` bytes are errors, in the innermost scope for them or uncaptured. */
function limitMemory(device: GPUDevice, limit: number): void {
  const createBuffer = device.createBuffer.bind(device);
  const push = device.pushErrorScope.bind(device);
  const pop = device.popErrorScope.bind(device);
  const scopes: { readonly filter: GPUErrorFilter; error: GPUError | null }[] = [];
  let used = 0;
  override(device, {
    createBuffer(descriptor: GPUBufferDescriptor) {
      const { size } = descriptor;
      if (used + size > limit) {
        const error = new GPUOutOfMemoryError(`the limit of ${limit} bytes is exceeded`);
        const scope = scopes.findLast(({ filter }) => filter === 'out-of-memory');
        if (scope) scope.error ??= error;
        else device.dispatchEvent(Object.assign(new Event('uncapturederror'), { error }));
        // A small one takes its place: no test writes to a buffer that was not allocated.
        return createBuffer({ ...descriptor, size: Math.min(size, 4), mappedAtCreation: false });
      }
      used += size;
      const buffer = createBuffer(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      let alive = true;
      return override(buffer, {
        destroy() {
          if (alive) used -= size;
          alive = false;
          destroy();
        },
      });
    },
    pushErrorScope(filter: GPUErrorFilter) {
      scopes.push({ filter, error: null });
      push(filter);
    },
    async popErrorScope() {
      const scope = scopes.pop();
      return (await pop()) ?? scope?.error ?? null;
    },
  });
}

/** Loses `device` if a submission takes longer than the limit of a watchdog; see `Watchdog`. */
function watch(device: GPUDevice, { limitMs, gflops, flopsPerWorkgroup }: Watchdog): void {
  const { queue } = device;
  const msPerWorkgroup = flopsPerWorkgroup / (gflops * 1e6);
  const { lost } = device;
  let lose: (info: GPUDeviceLostInfo) => void = () => undefined;
  const reset = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = resolve;
  });
  let idleAt = 0;
  /** Waits until the simulated queue is idle. */
  const untilIdle = async () => {
    const at = idleAt;
    while (performance.now() < at)
      await new Promise((resolve) => setTimeout(resolve, at - performance.now()));
  };
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  const createBuffer = device.createBuffer.bind(device);
  const submit = queue.submit.bind(queue);
  const done = queue.onSubmittedWorkDone.bind(queue);
  override(queue, {
    submit(commands: readonly GPUCommandBuffer[]) {
      const ms = commands.reduce((sum, buffer) => sum + (workgroups.get(buffer) ?? 0), 0) * msPerWorkgroup;
      if (ms > limitMs) {
        const message = `watchdog: a submission of ${ms.toFixed(1)} ms, at most ${limitMs} are allowed`;
        lose({ __brand: 'GPUDeviceLostInfo', reason: 'unknown', message });
        device.destroy();
        return;
      }
      idleAt = Math.max(idleAt, performance.now()) + ms;
      submit([...commands]);
    },
    async onSubmittedWorkDone() {
      await Promise.all([done(), untilIdle()]);
    },
  });
  override(device, {
    createCommandEncoder(descriptor?: GPUCommandEncoderDescriptor) {
      const encoder = createCommandEncoder(descriptor);
      const beginComputePass = encoder.beginComputePass.bind(encoder);
      const finish = encoder.finish.bind(encoder);
      return override(encoder, {
        beginComputePass(pass?: GPUComputePassDescriptor) {
          const compute = beginComputePass(pass);
          const dispatchWorkgroups = compute.dispatchWorkgroups.bind(compute);
          return override(compute, {
            dispatchWorkgroups(x: number, y = 1, z = 1) {
              add(encoder, x * y * z);
              dispatchWorkgroups(x, y, z);
            },
          });
        },
        finish(end?: GPUCommandBufferDescriptor) {
          const commands = finish(end);
          workgroups.set(commands, workgroups.get(encoder) ?? 0);
          return commands;
        },
      });
    },
    createBuffer(descriptor: GPUBufferDescriptor) {
      const buffer = createBuffer(descriptor);
      const mapAsync = buffer.mapAsync.bind(buffer);
      return override(buffer, {
        async mapAsync(...args: Parameters<GPUBuffer['mapAsync']>) {
          await Promise.all([mapAsync(...args), untilIdle()]);
        },
      });
    },
  });
  Object.defineProperty(device, 'lost', { value: Promise.race([reset, lost]), configurable: true });
}
