// A GPU device for tests in every host: Dawn in Node, navigator.gpu in Chrome, Firefox and Deno.
import { afterAll, afterEach, beforeEach, it } from 'vitest';
import { hostOf } from '../../src/core/host-name.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { type AdapterShape, adapterShapes } from './adapter-shapes.mjs';
import { allLimits, shapedGpu } from './shaped-gpu.ts';

const SCOPES: GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];
const FEATURES = ['timestamp-query', 'subgroups', 'subgroup-size-control', 'shader-f16'] as GPUFeatureName[];

/** Where the tests run. */
export const gpuHost = hostOf().name;

/**
 * Whether to run all cases (`npm run test:full` sets HEDDLE_FULL). If false, tests skip cases that compile
 * many kernels: a software adapter takes about half a second per kernel, Chrome two seconds for a tiled
 * product.
 */
export const everyCase = import.meta.env.HEDDLE_FULL === '1';

/** All cases in test:full; otherwise those that `kept` selects. */
export const sample = <T>(all: readonly T[], kept: (one: T) => boolean): readonly T[] =>
  everyCase ? all : all.filter(kept);

/**
 * All of a list, except in Chrome without test:full: those that `kept` selects. SwiftShader takes up to two
 * seconds to compile a kernel, and `npm test` must take less than ten minutes; it runs all cases on Dawn.
 */
export const fewerInChrome = <T>(all: readonly T[], kept: (one: T) => boolean): readonly T[] =>
  everyCase || gpuHost !== 'Chrome' ? all : all.filter(kept);

/** A test of many rows or updates: Chrome leaves it to Dawn unless HEDDLE_FULL is set. */
export const itOnDawn = it.skipIf(!everyCase && gpuHost === 'Chrome');

/** The shape of adapter that `npm run test:shapes` sets; default: no changes. */
export const testShape: AdapterShape = shapeNamed(import.meta.env.HEDDLE_SHAPE);

function shapeNamed(name: string | undefined): AdapterShape {
  if (!name) return { name: '' };
  const found = adapterShapes.find((shape) => shape.name === name);
  if (!found) throw new Error(`HEDDLE_SHAPE: there is no ${name}`);
  return found;
}

let gpu: Promise<GPU> | undefined;
let device: Promise<GPUDevice> | undefined;
let opened: GPUDevice | undefined;
const errors: string[] = [];

/** The host's GPU; throws if WebGPU is missing. */
export function testGpu(): Promise<GPU> {
  gpu ??= openGpu().then((opened) => (testShape.name ? shapedGpu(opened, testShape) : opened));
  return gpu;
}

/**
 * The test file's device: default limits (those of the shape), and the features of heddle that the adapter
 * has.
 */
export function gpuDevice(): Promise<GPUDevice> {
  device ??= openDevice();
  return device;
}

/** Watches another device than that of `gpuDevice`: uncaptured errors and loss fail the running test. */
export function watchDevice(watched: GPUDevice): void {
  watched.addEventListener('uncapturederror', (event) => {
    errors.push(`uncaptured ${event.error.constructor.name}: ${event.error.message}`);
  });
  watched.lost.then((info) => {
    if (info.reason !== 'destroyed') errors.push(`the device was lost: ${info.message}`);
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
    requiredLimits: testShape.limits === 'all' ? allLimits(adapter) : undefined,
  });
  watchDevice(opened);
  wrapDevice(opened, adapter.info); // which each later `wrapDevice` of it uses
  return opened;
}

/**
 * Fails a test if WebGPU reports an error or the device is lost during it. watch-gpu.ts calls this before
 * each file of the projects with a GPU.
 */
export function watchTests(): void {
  beforeEach(async () => {
    errors.length = 0;
    const watched = await gpuDevice();
    for (const filter of SCOPES) watched.pushErrorScope(filter);
  });
  afterEach(async () => {
    const watched = await gpuDevice();
    for (const filter of SCOPES.toReversed()) {
      const error = await watched.popErrorScope();
      if (error) errors.push(`${filter} error: ${error.message}`);
    }
    if (errors.length > 0)
      throw new Error(`WebGPU reported during the test:\n${errors.splice(0).join('\n')}`);
  });
  afterAll(() => {
    opened?.destroy();
    device = undefined; // the next file opens a new one
  });
}
