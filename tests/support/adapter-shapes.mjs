// Shapes of adapters: changes of features, limits and subgroups. `npm run test:shapes` runs the GPU tests on
// Dawn under each shape (HEDDLE_SHAPE is its name); `npm test` runs a golden case under some.

/**
 * Changes of a shape to the adapter of this machine.
 * @typedef {object} AdapterShape
 * @property {string} name
 * @property {128 | 256 | 512} [vectorWidth] Bits of llvmpipe's vectors, which are its subgroups of 4, 8 or 16
 *   lanes. Must be set before a process starts.
 * @property {readonly string[]} [without] Features to remove.
 * @property {{ subgroupMinSize?: number, isFallbackAdapter?: boolean }} [info] Fields of the adapter info.
 * @property {'default' | 'all'} [limits] Only the guaranteed limits (default for devices of tests), or all
 *   limits of the adapter.
 * @property {boolean} [tune] Whether engines of tests auto-tune kernels.
 */

/** @type {readonly AdapterShape[]} */
export const adapterShapes = [
  { name: 'subgroups-4', vectorWidth: 128 },
  { name: 'subgroups-8', vectorWidth: 256 },
  { name: 'subgroups-16', vectorWidth: 512 },
  // Kernels for subgroups of 4 run in the first lanes of larger ones, since they cannot ask for those of 4.
  {
    ...{ name: 'half-filled-subgroups', vectorWidth: 256, info: { subgroupMinSize: 4 } },
    without: ['subgroup-size-control'],
  },
  {
    ...{ name: 'quarter-filled-subgroups', vectorWidth: 512, info: { subgroupMinSize: 4 } },
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
];
