// A served model on a GPU: LoRA adapters of concurrent requests are not mixed up, and a device that is lost while
// requests wait is replaced.
import { expect } from 'vitest';
import { Model } from '../../../src/api/model.ts';
import { ServedModel } from '../../../src/commands/serve/served-models.ts';
import { fingerprintOf } from '../../../src/core/fingerprint.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { loraFiles } from '../../../src/formats/lora-folder.ts';
import { loraConfig, loraParameters } from '../../../src/model/lora.ts';
import { testGpu } from '../../support/gpu.ts';
import { itInFull } from '../../support/in-full.ts';
import { randomTensor } from '../../support/op.ts';
import { letterModel } from '../../support/saved-model.ts';
import { testSession } from '../../support/session.ts';
import { fragileGpu } from '../../support/training.ts';

const saved = letterModel();
const texts = ['abc', 'e', 'bad cab', 'dabced abbcd'];
const options = { maxNewTokens: 6 };

itInFull('recovers a lost device while requests wait, each with its LoRA adapter', async () => {
  const { config, weights } = saved;
  const files = memoryFiles();
  const lora = loraConfig({ rank: 2, targetModules: ['*.q', 'fc1'] });
  const adapter = {
    lora,
    baseFingerprint: fingerprintOf([weights]),
    weights: randomTensor([loraParameters(config, lora).size], 1, 0.5).data as Float32Array,
  };
  await writeFolder(files, 'legal', loraFiles(config, adapter, 'base'));
  const { gpu, lose } = fragileGpu(await testGpu());
  const model = new Model(saved, testSession({ device: gpu, files }), { ownsSession: true });
  await model.addLora('legal', 'legal');
  const batches: number[] = [];
  const limits = { batchSize: 4, maxTexts: 1000 };
  const served = new ServedModel('m', model, { source: 'en', target: 'es' }, limits, {
    batch(size) {
      batches.push(size);
      // The device is lost between batches, while other requests wait.
      if (batches.length === 3 || batches.length === 6) lose();
    },
  });
  const ask = (loras: readonly (string | undefined)[]) =>
    Promise.all(
      loras.map(async (name) => {
        const found = await served.queue.generate(texts, { ...options, lora: name });
        return found.map(([best]) => best?.text);
      }),
    );
  const [plain, legal] = await ask([undefined, 'legal']);
  expect(legal).not.toEqual(plain);
  const loras = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? undefined : 'legal'));
  expect(await ask(loras)).toEqual(loras.map((name) => (name ? legal : plain)));
  expect(batches.length).toBeGreaterThan(8);
  model.dispose();
});
