// Shapes of adapters: changes of features, limits, subgroups, memory and the time of submissions. `npm run
// test:shapes` runs the GPU tests on Dawn under each shape (HEDDLE_SHAPE is its name); `npm test` runs a golden
// case or a training under some. docs/devices.md says what each device of a visitor is known for.

/**
 * Changes of a shape to the adapter of this machine.
 * @typedef {object} AdapterShape
 * @property {string} name
 * @property {128 | 256 | 512} [vectorWidth] Bits of llvmpipe's vectors, which are its subgroups of 4, 8 or 16
 *   lanes. Must be set before a process starts.
 * @property {readonly string[]} [without] Features to remove.
 * @property {Partial<Record<'vendor' | 'architecture' | 'device' | 'description', string>>
 *   & { subgroupMinSize?: number, subgroupMaxSize?: number, isFallbackAdapter?: boolean }} [info] Fields of the
 *   adapter info.
 * @property {boolean} [noInfo] Whether adapters and devices have no info.
 * @property {boolean} [noDeviceInfo] Whether `adapterInfo` of a device is undefined.
 * @property {'default' | 'all' | Readonly<Record<string, number>>} [limits] Only the guaranteed limits (default
 *   for devices of tests), all limits of the adapter, or these at most and the guaranteed ones for the others.
 * @property {number} [memory] Bytes of buffers; a larger total is an out-of-memory error.
 * @property {Watchdog} [watchdog] Loses a device after a long submission.
 * @property {boolean} [tune] Whether engines of tests auto-tune kernels.
 */

/**
 * A driver that resets the GPU after a long submission. It trusts no count of FLOPs of the program: a dispatch
 * counts `flopsPerWorkgroup` for each workgroup, whatever its kernel does, and takes them at `gflops`. The queue
 * takes as long: promises of finished work settle no earlier.
 * @typedef {object} Watchdog
 * @property {number} limitMs Milliseconds that a submission may take.
 * @property {number} gflops Rate of the device in GFLOP/s.
 * @property {number} flopsPerWorkgroup
 */

const mib = 2 ** 20;

/**
 * 64 threads of 1,024 multiply-adds each, at a rate of 0.1 GFLOP/s: 1.3 ms for a workgroup. A step of the tiny
 * models of the tests has about 280 workgroups, twice what a submission may have.
 */
const watchdog = { limitMs: 200, gflops: 0.1, flopsPerWorkgroup: 2 ** 17 };

/** @type {readonly AdapterShape[]} */
export const adapterShapes = [
  { name: 'subgroups-4', vectorWidth: 128 },
  { name: 'subgroups-8', vectorWidth: 256 },
  { name: 'subgroups-16', vectorWidth: 512 },
  // Kernels for subgroups of 4 run in the first lanes of larger ones, since they cannot ask for those of 4.
  {
    name: 'half-filled-subgroups',
    vectorWidth: 256,
    info: { subgroupMinSize: 4 },
    without: ['subgroup-size-control'],
  },
  {
    name: 'quarter-filled-subgroups',
    vectorWidth: 512,
    info: { subgroupMinSize: 4 },
    without: ['subgroup-size-control'],
  },
  { name: 'no-subgroups', without: ['subgroups', 'subgroup-size-control'] },
  { name: 'no-subgroup-size-control', without: ['subgroup-size-control'] },
  { name: 'no-f16', without: ['shader-f16'] },
  { name: 'no-timestamps', without: ['timestamp-query'] },
  {
    name: 'default-limits',
    limits: 'default',
    without: ['subgroups', 'subgroup-size-control', 'shader-f16', 'timestamp-query'],
  },
  { name: 'all-limits', limits: 'all' },
  // The default order of kernels on a GPU: tiles in workgroup memory first.
  { name: 'gpu', info: { isFallbackAdapter: false, subgroupMinSize: 32 }, vectorWidth: 512 },
  {
    name: 'gpu-without-subgroups',
    info: { isFallbackAdapter: false },
    without: ['subgroups', 'subgroup-size-control'],
  },
  { name: 'tuned', tune: true },
  // Devices of visitors.
  {
    name: 'safari-26',
    without: ['subgroup-size-control', 'timestamp-query'],
    info: {
      vendor: 'apple',
      architecture: 'common-3',
      device: '',
      description: '',
      isFallbackAdapter: false,
      subgroupMinSize: 32,
      subgroupMaxSize: 32,
    },
    noDeviceInfo: true,
    limits: {
      maxBufferSize: 1024 * mib,
      maxStorageBufferBindingSize: 1024 * mib,
      maxComputeWorkgroupStorageSize: 32768,
    },
    memory: 1400 * mib,
  },
  {
    name: 'iphone',
    without: ['subgroups', 'subgroup-size-control', 'timestamp-query'],
    info: {
      vendor: 'apple',
      architecture: 'common-3',
      device: '',
      description: 'iPhone',
      isFallbackAdapter: false,
    },
    noDeviceInfo: true,
    limits: { maxComputeWorkgroupStorageSize: 32768 },
    memory: 512 * mib,
    watchdog,
  },
  {
    name: 'adreno',
    without: ['subgroups', 'subgroup-size-control', 'shader-f16'],
    info: {
      vendor: 'qualcomm',
      architecture: 'adreno-6xx',
      device: '',
      description: '',
      isFallbackAdapter: false,
    },
    limits: 'default',
    memory: 768 * mib,
    watchdog,
  },
  {
    name: 'mali',
    without: ['subgroup-size-control', 'timestamp-query'],
    info: {
      vendor: 'arm',
      architecture: 'valhall',
      device: '',
      description: '',
      isFallbackAdapter: false,
    },
    limits: { maxComputeWorkgroupStorageSize: 32768 },
    memory: 768 * mib,
    watchdog,
  },
  // Nothing but what WebGPU guarantees, and no info.
  {
    name: 'bare',
    without: ['subgroups', 'subgroup-size-control', 'shader-f16', 'timestamp-query'],
    noInfo: true,
    limits: 'default',
    memory: 256 * mib,
  },
  {
    name: 'firefox',
    without: ['subgroups', 'subgroup-size-control', 'timestamp-query'],
    info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false },
    noDeviceInfo: true,
  },
];
