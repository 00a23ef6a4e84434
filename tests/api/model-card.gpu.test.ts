// The model card that `save` writes.
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { readText } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { registerHost } from '../../src/session/host.ts';
import { gpuDevice, testGpu } from '../support/gpu.ts';

const files = memoryFiles();
registerHost({ gpu: testGpu, files, modelPath: (name) => name });
const read = (path: string) => readText(files, path);

const pairs = ['a b', 'b a', 'a a', 'b b', 'a b a', 'b a b', 'a', 'b'].map((source) => ({
  source,
  target: source.toUpperCase(),
}));
const trained = async () =>
  train(pairs, {
    preset: 'tiny',
    model: { dModel: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16, maxLength: 16 },
    tokenizer: 'char',
    batchSize: 8,
    buckets: 1,
    steps: 2,
    evalSteps: 2,
    dev: pairs,
    learningRate: 0.002,
    tune: false,
    device: await gpuDevice(),
  });

describe('the model card', () => {
  it('has data, settings, scores with signatures, license and use, also after it is loaded and saved again', async () => {
    const model = await trained();
    await model.save('first');
    const card = await read('first/README.md');
    expect(card).toMatch(/^---\nlibrary_name: heddle\npipeline_tag: translation\n/);
    expect(card).toMatch(/\n8 pairs, 2 updates\.\n/);
    expect(card).toMatch(/\| `learningRate` \| 0\.002 \|/);
    expect(card).toMatch(/\| dev \(8\) \| BLEU \| [\d.]+ \| `nrefs:1\\\|case:/);
    expect(card).toMatch(/## License/);
    expect(card).toContain("loadModel('first')");
    const zip = await model.toBlob();
    expect(new TextDecoder('latin1').decode(await zip.arrayBuffer())).toContain('README.md');
  });

  it('tells how the library of its format loads it', async () => {
    const model = await trained();
    await model.save('onnx', { format: 'onnx' });
    expect(await read('onnx/README.md')).toContain("pipeline('translation', 'onnx')");
    await model.save('torch', { format: 'pytorch', card: false });
    expect(await files.exists('torch/README.md')).toBe(false);
  });

  it('keeps a README.md of the user, and does not break the folder when it is edited', async () => {
    const model = await trained();
    await model.save('edited');
    await files.write('edited/README.md', new TextEncoder().encode('# Mine\n'));
    (await loadModel('edited', { device: await gpuDevice() })).dispose();
    await model.save('edited', { force: true });
    expect(await read('edited/README.md')).toBe('# Mine\n');
  });
});
