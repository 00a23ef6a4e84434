// The process that compiles recorded kernels, one after another. Before each it writes a line to stderr. Arguments: the
// file of the kernels, and the folder of those that need not be compiled (compiled-cache.ts).

import { readFileSync, writeSync } from 'node:fs';
import { dawnGpu } from '../../src/host/dawn.ts';
import { CompiledCache, cacheKey } from './compiled-cache.ts';
import type { RecordedKernels } from './recorded-kernels.ts';

const [file = '', cacheFolder = ''] = process.argv.slice(2);
const { modules, kernels } = JSON.parse(readFileSync(file, 'utf8')) as RecordedKernels;
const cache = new CompiledCache(cacheFolder);
const adapter = await (await dawnGpu()).requestAdapter({ powerPreference: 'high-performance' });
if (!adapter) throw new Error('no adapter');
const wanted = ['subgroups', 'shader-f16', 'subgroup-size-control'] as GPUFeatureName[];
const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } =
  adapter.limits;
const device = await adapter.requestDevice({
  requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
  requiredLimits: {
    maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX,
  },
});
const compiled = new Map<number, GPUShaderModule>();
for (const { module, entry, constants, name, from } of kernels) {
  const code = modules[module] ?? '';
  const key = cacheKey(code, entry, constants);
  const cached = cache.has(key);
  writeSync(2, `\n@@ ${JSON.stringify({ from, name, module, key, cached })}\n`);
  if (cached) continue;
  const own = compiled.get(module) ?? device.createShaderModule({ code });
  compiled.set(module, own);
  try {
    await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: own, entryPoint: entry, constants },
    });
  } catch (error) {
    // A feature that this driver lacks, such as subgroups on Mali.
    writeSync(2, `\nnot compiled: ${(error as Error).message.split('\n')[0]}\n`);
  }
}
process.exit(0);
