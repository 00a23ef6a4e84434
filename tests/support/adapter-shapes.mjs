// The shapes of adapters under which the tests of kernels and models run: `npm run test:shapes` runs all of them on Dawn under each shape, which
// HEDDLE_SHAPE names; `npm test` runs a golden case under each.

/**
 * What a shape changes about the adapter of this machine.
 * @typedef {object} AdapterShape
 * @property {string} name
 * @property {128 | 256 | 512} [vectorWidth] Bits of llvmpipe's vectors, which are its subgroups: 4, 8 or 16 lanes. Set before a process starts.
 * @property {readonly string[]} [without] Features that it lacks.
 * @property {{ subgroupMinSize?: number, isFallbackAdapter?: boolean }} [info] What it says about itself.
 * @property {'default' | 'all'} [limits] The guaranteed limits exactly, or all that the adapter has. Default: devices of tests have the former.
 * @property {boolean} [tune] Whether engines of tests time their kernels.
 */

/** @type {readonly AdapterShape[]} */
export const adapterShapes = [
  { name: 'subgroups-4', vectorWidth: 128 },
  { name: 'subgroups-8', vectorWidth: 256 },
  { name: 'subgroups-16', vectorWidth: 512 },
  // Kernels for subgroups of 4 run in the first lanes of larger ones.
  { name: 'half-filled-subgroups', vectorWidth: 256, info: { subgroupMinSize: 4 } },
  { name: 'quarter-filled-subgroups', vectorWidth: 512, info: { subgroupMinSize: 4 } },
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
  // The order of kernels that a GPU gets, tiles in workgroup memory first.
  { name: 'gpu', info: { isFallbackAdapter: false, subgroupMinSize: 32 }, vectorWidth: 512 },
  {
    name: 'gpu-without-subgroups',
    info: { isFallbackAdapter: false },
    without: ['subgroups', 'subgroup-size-control'],
  },
  { name: 'tuned', tune: true },
];
