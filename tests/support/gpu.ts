// A GPU device for tests in every host: Dawn in Node, navigator.gpu in Chrome, Firefox and Deno. Importing it watches every test of the file: an
// error that WebGPU reports during a test, or a lost device, fails that test, even if the test itself noticed nothing.
import { afterAll, afterEach, beforeEach } from 'vitest';
import { hostOf } from '../../src/core/host-name.ts';

const SCOPES: GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];
const FEATURES: GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16'];

/** Where the tests run. */
export const gpuHost = hostOf().name;

/**
 * Whether to run every case. If false, tests run a sample: in Chrome, where the software adapter compiles a tile kernel for about a second,
 * unless `npm run test:full` sets HEDDLE_FULL. Dawn always runs every case.
 */
export const everyCase = gpuHost === 'Dawn' || import.meta.env.HEDDLE_FULL === '1';

let gpu: Promise<GPU> | undefined;
let device: Promise<GPUDevice> | undefined;
let opened: GPUDevice | undefined;
const troubles: string[] = [];

/** The host's GPU; throws if WebGPU is missing. */
export function testGpu(): Promise<GPU> {
  gpu ??= openGpu();
  return gpu;
}

/** The test file's device: default limits, and those of timestamp-query, subgroups and shader-f16 that the adapter has. */
export function gpuDevice(): Promise<GPUDevice> {
  device ??= openDevice();
  return device;
}

/** Watches another device than `gpuDevice`'s for uncaptured errors and loss, which fail the running test. */
export function watchDevice(watched: GPUDevice): void {
  watched.addEventListener('uncapturederror', (event) => {
    troubles.push(`uncaptured ${event.error.constructor.name}: ${event.error.message}`);
  });
  watched.lost.then((info) => {
    if (info.reason !== 'destroyed') troubles.push(`the device was lost: ${info.message}`);
  });
}

async function openGpu(): Promise<GPU> {
  if (gpuHost === 'Dawn') return (await import('../../src/host/dawn.ts')).dawnGpu();
  if (!navigator.gpu) throw new Error(`${gpuHost} has no navigator.gpu: it was started without WebGPU`);
  return navigator.gpu;
}

async function openDevice(): Promise<GPUDevice> {
  const adapter = await (await testGpu()).requestAdapter();
  if (!adapter) throw new Error(`no WebGPU adapter in ${gpuHost}: the GPU tests cannot run`);
  opened = await adapter.requestDevice({
    label: 'tests',
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
  });
  watchDevice(opened);
  return opened;
}

beforeEach(async () => {
  troubles.length = 0;
  const watched = await gpuDevice();
  for (const filter of SCOPES) watched.pushErrorScope(filter);
});

afterEach(async () => {
  const watched = await gpuDevice();
  for (const filter of SCOPES.toReversed()) {
    const error = await watched.popErrorScope();
    if (error) troubles.push(`${filter} error: ${error.message}`);
  }
  if (troubles.length > 0) throw new Error(`WebGPU reported during the test:\n${troubles.splice(0).join('\n')}`);
});

afterAll(() => opened?.destroy());
