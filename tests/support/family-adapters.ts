// Adapters of a family of Hugging Face: what tests of each family, those of guests too, expect of them.

import { expect } from 'vitest';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import type { Program } from '../../src/engine/engine.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import type { HfFamily } from '../../src/formats/hf/hf-families.ts';
import { loadLora, loraFiles } from '../../src/formats/lora-folder.ts';
import {
  type LoraConfig,
  linearLayers,
  loraConfig,
  loraParameters,
  loraTargets,
  mergeLora,
} from '../../src/model/lora.ts';
import type { ModelConfig } from '../../src/model/model-config.ts';
import type { ParameterList } from '../../src/model/parameter-layout.ts';
import { writePositions } from '../../src/model/positions.ts';
import { evaluationGraph } from '../../src/train/update/training-graphs.ts';
import { loadIds, randomIds, startWeights } from './model.ts';
import { randomTensor, relativeError } from './op.ts';

const shape = { batch: 2, source: 4, target: 3 };

/** The logits of a model on a random batch, with an adapter if there is one. */
async function logitsOf(
  c: ModelConfig,
  p: ParameterList,
  weights: Float32Array,
  own?: LoraConfig,
  adapter?: Float32Array,
) {
  const engine = cpuEngine();
  const graph = evaluationGraph(c, p, shape, { logits: true, lora: own });
  const [program] = (await engine.prepare([graph])) as [Program];
  engine.write('weights', weights);
  if (adapter) engine.write('lora', adapter);
  writePositions(engine, c);
  loadIds(program, randomIds(c, shape));
  return (await program.run()).logits as ArrayLike<number>;
}

/**
 * Expects that an adapter for all layers of a small model is read from files of PEFT bit for bit, and gives the results of
 * merged weights.
 */
export async function expectAdapters(c: ModelConfig, p: ParameterList, family: HfFamily): Promise<void> {
  const { like, defaults } = family;
  const t5 = like === 't5';
  const plain = defaults as { feed_forward_proj?: string };
  const inner = plain.feed_forward_proj?.startsWith('gated') ? ['wi_0', 'wi_1'] : ['wi'];
  const modules = t5
    ? ['q', 'k', 'v', 'o', ...inner, 'wo']
    : ['q_proj', 'k_proj', 'v_proj', 'out_proj', 'fc1', 'fc2'];
  const layer = t5 ? 'decoder.block.1.layer.2.DenseReluDense.wo' : 'model.decoder.layers.1.fc2';
  const own = loraConfig({ rank: 2, targetModules: modules });
  const adapter = randomTensor([loraParameters(c, own).size], 4).data as Float32Array;
  for (const { offset, shape: sizes } of loraParameters(c, own).all) {
    const end = offset + sizes.reduce((a, b) => a * b, 1);
    adapter.fill(0, end, Math.ceil(end / 64) * 64); // padding
  }
  const files = memoryFiles();
  await writeFolder(files, 'a', loraFiles(c, { lora: own, weights: adapter }, 'base'));
  const config = JSON.parse(new TextDecoder().decode(await files.read('a/adapter_config.json')));
  expect(config.target_modules).toEqual([...modules].sort());
  const names = Object.keys(readSafetensors(await files.read('a/adapter_model.safetensors')));
  expect(names).toContain(`base_model.model.${layer}.lora_B.weight`);
  expect(names).toHaveLength(2 * linearLayers(c).length);
  const loaded = await loadLora(files, 'a', c);
  expect(loaded.weights).toEqual(adapter);
  // The default targets are the queries and values of all attentions: 3 layers with one, 2 with another.
  expect(loraTargets(c, loraConfig({ rank: 2 }).targetModules)).toHaveLength(2 * (1 + 2 + 2));
  const weights = startWeights(c, p);
  const [beside, merged, without] = [
    await logitsOf(c, p, weights, loaded.lora, loaded.weights),
    await logitsOf(c, p, mergeLora(c, p, weights, own, adapter)),
    await logitsOf(c, p, weights),
  ];
  // Merged weights are rounded to float32.
  expect(relativeError(beside, merged)).toBeLessThan(1e-4);
  expect(relativeError(without, merged)).toBeGreaterThan(0.01);
}
