// Model and loadModel on the GPU: translating, streaming, generating, evaluating, saving and loading.

import { afterAll, describe, expect, it } from 'vitest';
import { hostOf, loadModel } from '../../src/api/load-model.ts';
import { createModel, type Model } from '../../src/api/model.ts';
import { openSession, type Session } from '../../src/api/session.ts';
import { wrapDevice } from '../../src/gpu/device.ts';
import type { JobEvent } from '../../src/runtime/job.ts';
import { tokenLabel } from '../../src/text/tokenizers/tokenizer.ts';
import { gpuDevice, testGpu } from '../support/gpu.ts';
import { letterModel } from '../support/saved-model.ts';
import { fragileGpu } from '../support/training.ts';

const saved = letterModel();
const texts = ['abc', 'e', 'bad cab', '', 'dabced abbcd'];

const open: Model[] = [];
afterAll(() => {
  for (const model of open) model.dispose();
});

/** A model on the tests' device, or on other devices; nothing is timed. */
async function newModel(options: { session?: Session; events?: JobEvent[]; weights?: 'int8' } = {}): Promise<Model> {
  const { events, weights } = options;
  const session =
    options.session ??
    openSession({ device: await gpuDevice(), tune: false, ...(events && { onEvent: (e) => events.push(e) }) });
  const platform = { modelPath: (name: string) => name } as never;
  const model = createModel(saved, hostOf(session.context, session.close, platform), { weights });
  open.push(model);
  return model;
}

const onDevice = async () => ({ device: wrapDevice(await gpuDevice()), tune: false });

describe('a model', () => {
  it('translates a text to a string and texts to strings in order', async () => {
    const model = await newModel();
    const all = await model.translate(texts);
    expect(all).toHaveLength(texts.length);
    expect(all[3]).toBe('');
    expect(await model.translate('bad cab')).toBe(all[2]);
    expect(await model.translate(['e', 'abc'], { beams: 1, batchSize: 1 })).toEqual([all[1], all[0]]);
    expect(await model.translate([])).toEqual([]);
  });

  it('streams pieces that join to the translation, and can be left', async () => {
    const model = await newModel();
    const pieces: string[] = [];
    for await (const piece of model.stream('bad cab')) pieces.push(piece);
    expect(pieces.join('')).toBe(await model.translate('bad cab'));
    expect(pieces.length).toBeGreaterThan(1);
    for await (const _ of model.stream('bad cab')) break;
    expect(await model.translate('e')).toBe((await model.translate(texts))[1]);
    for await (const piece of model.stream('')) expect(piece).toBe('never');
  });

  it('generates several translations with scores, ids and attention', async () => {
    const model = await newModel();
    const found = await model.generate('bad cab', { beams: 4, numReturn: 3, attention: true, maxNewTokens: 9 });
    expect(found).toHaveLength(3);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const [best] = found;
    expect(best!.text).toBe(saved.target.decode(best!.ids));
    for (const { ids, ended, attention } of found) {
      const { source, target, layers, heads, weights } = attention!;
      expect([source.length, layers, heads]).toEqual([8, 2, 2]);
      expect(target).toEqual(
        [...ids, ...(ended ? [saved.config.endId] : [])].map((id) => tokenLabel(saved.target, id)),
      );
      expect(weights).toHaveLength(layers * heads * target.length * source.length);
      for (let at = 0; at < weights.length; at += source.length)
        expect(weights.subarray(at, at + source.length).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    }
    expect((await model.attention('bad cab')).source).toEqual(best!.attention!.source);
    const lists = await model.generate(texts, { beams: 2, numReturn: 2 });
    expect(lists.map((some) => some.length)).toEqual([2, 2, 2, 0, 2]);
  });

  it('reports each token of several texts', async () => {
    const model = await newModel();
    const said = texts.map(() => '');
    const found = await model.generate(texts, {
      onPiece: (piece, index) => {
        said[index] += piece.text;
      },
    });
    expect(said).toEqual(await model.translate(texts));
    expect(found[0]![0]!.text).toBe(said[0]);
  });

  it('evaluates pairs and counts those that do not fit', async () => {
    const events: JobEvent[] = [];
    const model = await newModel({ events });
    const pairs = ['abc', 'bad', 'cab e'].map((source) => ({ source, target: source }));
    const result = await model.evaluate([...pairs, { source: 'a'.repeat(99), target: 'b' }]);
    expect(result).toMatchObject({ pairs: 3, leftOut: 1, sentences: 3 });
    expect(result.loss).toBeGreaterThan(0);
    expect(result.perplexity).toBeCloseTo(Math.exp(result.loss), 4);
    expect(result.tokenAccuracy).toBeLessThanOrEqual(1);
    expect(result.bleu).toBeGreaterThanOrEqual(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'progress', task: 'translate' }));
    await expect(model.evaluate([])).rejects.toThrow('no pair fits the model');
  });

  it('goes to an archive and comes back with the same translations', async () => {
    const model = await newModel();
    const blob = await model.toBlob();
    const copy = await loadModel(blob, await onDevice());
    open.push(copy);
    expect(copy.config).toEqual(model.config);
    expect(await copy.translate(texts)).toEqual(await model.translate(texts));
    const quantized = await loadModel(new File([blob], 'model.zip'), { ...(await onDevice()), weights: 'int8' });
    open.push(quantized);
    expect(await quantized.translate(texts)).toHaveLength(texts.length);
    const url = URL.createObjectURL(blob);
    open.push(await loadModel(url, await onDevice()));
    expect(open.at(-1)!.parameterCount).toBe(model.parameterCount);
  });

  it('has weights by name, and a plan', async () => {
    const model = await newModel();
    const weights = model.weights();
    expect(Object.values(weights).reduce((n, { data }) => n + data.length, 0)).toBe(model.parameterCount);
    expect(model.plan({ batch: 2, source: 8, target: 8 })).toMatch(/^source\n[\s\S]*\nstep\n/);
    expect(model.tokenizers.source).toBe(saved.source);
  });

  it('moves its weights to a new device when the device is lost', async () => {
    const { gpu, lose } = fragileGpu(await testGpu());
    const model = await newModel({ session: openSession({ device: gpu, tune: false }) });
    const before = await model.translate(texts);
    lose();
    expect(await model.translate(texts)).toEqual(before);
  });

  it('shares the device of the caller and leaves it open', async () => {
    const device = await gpuDevice();
    const [a, b] = await Promise.all([newModel(), newModel()]);
    const [one, two] = await Promise.all([a.translate(texts), b.translate(texts)]);
    expect(one).toEqual(two);
    a.dispose();
    expect(await b.translate(texts)).toEqual(one);
    b.dispose();
    expect(await wrapDevice(device).lost(10)).toBeUndefined();
  });

  it('names what is wrong with a call', async () => {
    const model = await newModel();
    await expect(model.translate('a'.repeat(40))).rejects.toThrow(/text 1 has 41 tokens/);
    await expect(model.translate('a', { batch: 2 } as never)).rejects.toThrow('no option batch');
    await expect(model.translate(null as never)).rejects.toThrow('a text must be a string');
    await expect(model.translate('a', { beam: 2 } as never)).rejects.toThrow('option beam is now called');
    await expect(model.save('out', { format: 'lora' })).rejects.toThrow('no LoRA adapter');
    await expect(model.save('out', { dtype: 'f16' })).rejects.toThrow('float32');
    await expect(model.translate('a', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    model.dispose();
    await expect(model.translate('a')).rejects.toThrow('disposed');
  });
});
