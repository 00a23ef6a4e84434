// Probes subgroups at start-up. Kernels for CPU adapters assume that a workgroup of 4 or 8 threads is one subgroup whose
// lanes are in the order of the threads; row groups and products of one row that a subgroup is a known number of threads
// next to each other. WGSL guarantees neither.

import { messageOf } from '../../core/errors.ts';
import { lanesOf } from '../ops/work-division.ts';
import { type KernelKey, pipelinesOf } from './pipelines.ts';
import { whenDone } from './readback.ts';

/** Workgroups of the probe, in three dimensions as those of attention. */
const grid = [16, 2, 2] as const;

/** The kernel of the probe of workgroups that are a subgroup. */
export const probeKernel = (minSubgroup: number): KernelKey => ({
  shader: 'probe-subgroups',
  entry: 'probe',
  constants: { LANES: lanesOf(minSubgroup) },
});

/** The kernel of the probe of subgroups of `size` threads in larger workgroups. */
export const rowsKernel = (size: number): KernelKey => ({
  shader: 'probe-subgroups',
  entry: 'probe_rows',
  constants: { LANES: size },
});
const rowsThreads = 128;

/**
 * Probes subgroups of at least `minSubgroup` lanes with one small dispatch. Resolves to what is wrong; '' if
 * nothing, or if there are fewer than four lanes, which no kernel uses.
 */
export async function probeSubgroups(device: GPUDevice, minSubgroup: number): Promise<string> {
  if (minSubgroup < 4) return '';
  const lanes = lanesOf(minSubgroup);
  const wrong = `a workgroup of ${lanes} threads is not one subgroup with its lanes in order`;
  return probe(device, probeKernel(minSubgroup), lanes, wrong);
}

/** Probes whether subgroups are `size` threads next to each other. Resolves to what is wrong; '' if nothing. */
export async function probeSubgroupRows(device: GPUDevice, size: number): Promise<string> {
  if (size < 4) return '';
  const wrong = `a subgroup is not ${size} threads next to each other`;
  return probe(device, rowsKernel(size), rowsThreads, wrong);
}

/** Runs a kernel of the probe with workgroups of `threads` threads; resolves to '' if all of them are right. */
async function probe(device: GPUDevice, kernel: KernelKey, threads: number, wrong: string): Promise<string> {
  const size = 4 * threads * grid[0] * grid[1] * grid[2];
  const make = (usage: number) => device.createBuffer({ label: 'subgroup probe', size, usage });
  const y = make(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const read = make(GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ);
  try {
    const { pipeline, layout } = await pipelinesOf(device).get(kernel);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: y } }] }),
    );
    pass.dispatchWorkgroups(...grid);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, read, 0, size);
    device.queue.submit([encoder.finish()]);
    await whenDone(device.queue, read.mapAsync(GPUMapMode.READ));
    const right = new Uint32Array(read.getMappedRange()).every((bit) => bit === 1);
    return right ? '' : wrong;
  } catch (error) {
    return `the probe did not run: ${messageOf(error)}`.replace(/\s+/g, ' ');
  } finally {
    y.destroy();
    read.destroy();
  }
}
