// Counts the WebGPU calls of any library by wrapping the API: bytes of live buffers per device; dispatches,
// submits and created objects of a function. Install it before a library loads.

/** Bytes of the buffers of one device. */
export interface DeviceBytes {
  live: number;
  peak: number;
}

/** Calls during a function, over all devices. */
export interface Totals {
  dispatches: number;
  submits: number;
  /** Objects that a step should not create: all except encoders, passes and command buffers. */
  objects: number;
}

/** The counters. */
export interface ApiCounter {
  bytesOf(device: GPUDevice): DeviceBytes;
  /** The bytes of all devices that have created a buffer. */
  devices(): DeviceBytes[];
  /**
   * Counts the calls of `work`. Methods are wrapped only while it runs, so that later timings call WebGPU
   * directly.
   */
  count(work: () => Promise<unknown>): Promise<Totals>;
}

/** Methods of GPUDevice that create objects that live longer than a step. */
const makers = [
  'createBindGroup',
  'createBindGroupLayout',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createPipelineLayout',
  'createQuerySet',
  'createRenderPipeline',
  'createRenderPipelineAsync',
  'createSampler',
  'createShaderModule',
  'createTexture',
] as const;

type Method = (this: object, ...args: unknown[]) => unknown;

/**
 * Calls `after` after each call of a method, with the object, arguments and result. Returns a function that
 * restores the method.
 */
function observe(
  type: { prototype: object },
  method: string,
  after: (self: object, args: unknown[], result: unknown) => void,
): () => void {
  const methods = type.prototype as Record<string, Method>;
  const original = methods[method];
  if (!original) return () => {};
  methods[method] = function (...args) {
    const result = original.apply(this, args);
    after(this, args, result);
    return result;
  };
  return () => {
    methods[method] = original;
  };
}

/** Wraps the WebGPU classes on globalThis. Call it once per process or page. */
export function installApiCounter(): ApiCounter {
  const devices = new Map<object, DeviceBytes>();
  const owners = new WeakMap<object, { bytes: DeviceBytes; size: number }>();
  let buffers = 0;
  const bytesOf = (device: object): DeviceBytes => {
    let bytes = devices.get(device);
    if (!bytes) {
      bytes = { live: 0, peak: 0 };
      devices.set(device, bytes);
    }
    return bytes;
  };
  observe(GPUDevice, 'createBuffer', (device, [descriptor], buffer) => {
    const { size } = descriptor as GPUBufferDescriptor;
    const bytes = bytesOf(device);
    buffers++;
    bytes.live += size;
    bytes.peak = Math.max(bytes.peak, bytes.live);
    owners.set(buffer as object, { bytes, size });
  });
  observe(GPUBuffer, 'destroy', (buffer) => {
    const owner = owners.get(buffer);
    if (owner) owner.bytes.live -= owner.size;
    owners.delete(buffer);
  });
  const count = async (work: () => Promise<unknown>): Promise<Totals> => {
    const total = { dispatches: 0, submits: 0, objects: -buffers };
    const observed = [
      ...makers.map((maker) => observe(GPUDevice, maker, () => total.objects++)),
      ...['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'].map((method) =>
        observe(GPUComputePassEncoder, method, () => total.dispatches++),
      ),
      observe(GPUQueue, 'submit', () => total.submits++),
    ];
    try {
      await work();
    } finally {
      for (const off of observed) off();
    }
    total.objects += buffers;
    return total;
  };
  return { bytesOf, devices: () => [...devices.values()], count };
}
