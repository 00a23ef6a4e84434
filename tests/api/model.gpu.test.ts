// Model and loadModel on the GPU: translating, streaming, generating, evaluating, saving and loading.

import { afterAll, describe, expect, it, vi } from 'vitest';
import { openFolder } from '../../src/api/load-model.ts';
import { Model } from '../../src/api/model.ts';
import { fingerprintOf } from '../../src/core/fingerprint.ts';
import { roundToF16 } from '../../src/core/float16.ts';
import type { GenerateOptions } from '../../src/decode/text-options.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { inLanguages, withLanguages } from '../../src/formats/hf/languages.ts';
import { loraFiles, mergedWith } from '../../src/formats/lora-folder.ts';
import { saveModelFolder } from '../../src/formats/save-heddle.ts';
import type { Languages, SavedModel } from '../../src/formats/shared/saved-model.ts';
import { type LoraConfig, loraConfig, loraParameters } from '../../src/model/lora.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { quantizedParameters } from '../../src/model/quantized-parameters.ts';
import type { Session } from '../../src/session/session.ts';
import { tokenLabel } from '../../src/text/tokenizers/tokenizer.ts';
import type { JobEvent } from '../../src/train/report/training-events.ts';
import { disposedModel, errorAbout } from '../support/expect-error.ts';
import { everyCase, gpuDevice, testGpu } from '../support/gpu.ts';
import { randomTensor } from '../support/op.ts';
import { letterModel } from '../support/saved-model.ts';
import { testSession } from '../support/session.ts';
import { fragileGpu } from '../support/training.ts';
import { watchedDevice } from '../support/watched-device.ts';

const saved = letterModel();
const texts = ['abc', 'e', 'bad cab', '', 'dabced abbcd'];

const open: Model[] = [];
afterAll(() => {
  for (const model of open) model.dispose();
});

/** A model on the tests' device, or on other devices; nothing is timed. */
async function newModel(
  options: { session?: Session; events?: JobEvent[]; weights?: 'int8'; saved?: SavedModel } = {},
): Promise<Model> {
  const { events, weights } = options;
  const session =
    options.session ??
    testSession({ device: await gpuDevice(), onEvent: (event) => void events?.push(event) });
  const source = options.saved ?? saved;
  const model = new Model(source, session, {
    ownsSession: true,
    parameters: weights && quantizedParameters(parameterList(source.config), weights),
  });
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

  // Each sentence waits for its result: 1,000 take ten seconds.
  const sentences = everyCase ? 1000 : 200;
  it(`creates no GPU object after the first sentence, and its memory stays flat over ${sentences} sentences`, async () => {
    const watched = watchedDevice(await gpuDevice());
    const model = await newModel({ session: testSession({ device: watched.device }) });
    const decode = { maxNewTokens: 3 };
    await model.translate('e', decode);
    watched.reset();
    const bytes = () => [...watched.alive.keys()].reduce((sum, { size }) => sum + size, 0);
    const before = bytes();
    for (let i = 0; i < sentences; i++)
      await model.translate('abcde'.repeat(5).slice(0, 1 + ((7 * i) % 23)), decode);
    expect(watched.calls.get('queue.submit')).toBeGreaterThan(sentences);
    expect([...watched.calls.keys()].filter((name) => /^create(?!CommandEncoder)/.test(name))).toEqual([]);
    expect(bytes()).toBe(before);
  });

  it('translates documents sentence by sentence, in order', async () => {
    const model = await newModel();
    const [abc, e, bad] = await model.translate(['abc', 'e', 'bad cab']);
    const document = `${'abc\n'.repeat(9)}\nbad cab`;
    await expect(model.translate(document)).rejects.toThrow(
      errorAbout({ area: 'translate', values: [1, 44] }),
    );
    const joined = `${`${abc}\n`.repeat(9)}\n${bad}`;
    const found = await model.translate([document, '', 'e', 'bad cab\nabc'], {
      splitSentences: true,
      batchSize: 2,
    });
    expect(found).toEqual([joined, '', e, `${bad}\n${abc}`]);
    expect(await model.translate(document, { splitSentences: true })).toBe(joined);
    const [best] = await model.generate('e\nabc', { splitSentences: true });
    const parts = (await model.generate(['e', 'abc'])).map(([first]) => first!);
    expect(best!.ids).toEqual(parts.flatMap(({ ids }) => ids));
    expect(best!.logProb).toBeCloseTo(parts[0]!.logProb + parts[1]!.logProb, 5);
    const long = ['e', `abc\n${'a'.repeat(30)}`];
    await expect(model.translate(long, { splitSentences: true })).rejects.toThrow(
      errorAbout({ area: 'translate', values: [2, 31] }),
    );
    expect(await model.translate(long, { splitSentences: true, longTexts: 'skip' })).toEqual([e, `${abc}\n`]);
    await expect(model.generate('e', { splitSentences: true, attention: true })).rejects.toThrow(
      errorAbout({ options: ['numReturn'] }),
    );
  });

  it('goes on while a stream waits for its reader', async () => {
    const model = await newModel();
    const [one, two] = (await model.translate(['bad cab', 'abc'])) as [string, string];
    // A call inside the loop.
    let pieces = '';
    for await (const piece of model.stream('bad cab')) {
      pieces += piece;
      expect(await model.translate('abc')).toBe(two);
    }
    expect(pieces).toBe(one);
    // A reader that went away without a word, two streams at once, and a reader that comes back late.
    const left = model.stream('bad cab');
    const first = (await left.next()).value as string;
    expect(await model.translate('abc')).toBe(two);
    const [a, b] = [model.stream('bad cab'), model.stream('abc')];
    let [ofA, ofB] = ['', ''];
    for (
      let [x, y] = [await a.next(), await b.next()];
      !x.done || !y.done;
      [x, y] = [await a.next(), await b.next()]
    ) {
      ofA += x.value ?? '';
      ofB += y.value ?? '';
    }
    expect([ofA, ofB]).toEqual([one, two]);
    let rest = first;
    for await (const piece of left) rest += piece;
    expect(rest).toBe(one);
  });

  it('rejects if a promise of a callback rejects', async () => {
    const model = await newModel();
    const fails = async () => {
      throw new Error('mine');
    };
    for (const callbacks of [{ onPiece: fails }, { onProgress: fails }])
      await expect(model.generate(['bad cab'], callbacks as GenerateOptions)).rejects.toThrow(
        new Error('mine'),
      );
    const long = { longTexts: 'skip', onLongText: fails } as GenerateOptions;
    await expect(model.generate(['a'.repeat(40)], long)).rejects.toThrow(new Error('mine'));
    expect(await model.translate('e')).toEqual(expect.any(String));
  });

  it('streams pieces that join to the translation, and can be stopped', async () => {
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
    const found = await model.generate('bad cab', {
      beams: 4,
      numReturn: 3,
      attention: true,
      maxNewTokens: 9,
    });
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
    expect(lists.map((candidates) => candidates.length)).toEqual([2, 2, 2, 0, 2]);
  });

  it('queues concurrent calls, also behind one that is aborted and a stream', async () => {
    const model = await newModel();
    const one = await model.translate(texts);
    const beam = await model.translate(texts, { beams: 3 });
    const calls = [model.translate(texts), model.translate(texts, { beams: 3 }), model.translate(texts)];
    expect(await Promise.all(calls)).toEqual([one, beam, one]);
    const controller = new AbortController();
    const running = model.translate(texts, { signal: controller.signal });
    const stream = model.stream('bad cab');
    const first = stream.next();
    const next = model.translate(texts);
    setTimeout(() => controller.abort(new Error('stop')), 1);
    await expect(running).rejects.toThrow(new Error('stop'));
    expect((await first).done).toBe(false);
    await stream.return();
    expect(await next).toEqual(one);
  });

  it('forgets the options of a call', async () => {
    const model = await newModel();
    const long = await model.translate('bad cab', { minNewTokens: 20, noRepeatNgramSize: 2 });
    const plain = await model.translate('bad cab');
    expect(plain).not.toBe(long);
    expect(plain).toBe(await (await newModel()).translate('bad cab'));
  });

  it('starts a translation with the language of the call, as mBART does', async () => {
    const { config, source: plain } = saved;
    const ids = new Map(['a', 'e'].map((code) => [code, plain.encode(code)[0] as number]));
    const languages: Languages = { ids, plain, after: true, source: 'a', target: 'a' };
    const own = { ...config, startId: ids.get('a') as number };
    const mbart: SavedModel = { ...saved, config: own, ...inLanguages(languages, own), languages };
    const model = await newModel({ saved: mbart });
    const other = await newModel({ saved: withLanguages(mbart, { targetLang: 'e' }) });
    const pairs = [{ source: 'bad cab', target: 'dab' }];
    const attention = { attention: true, maxNewTokens: 9 } as const;
    const wanted = await other.generate('bad cab', attention);
    const before = await model.generate('bad cab', attention);
    expect(await model.generate('bad cab', { ...attention, targetLang: 'e' })).toEqual(wanted);
    expect(before).not.toEqual(wanted);
    expect(await model.generate('bad cab', attention)).toEqual(before);
    const loss = async (from: Model, options = {}) => (await from.evaluate(pairs, options)).loss;
    expect(await loss(model, { targetLang: 'e' })).toBe(await loss(other));
    expect(await loss(model)).not.toBe(await loss(other));
  });

  it('reports each token of several texts', async () => {
    const model = await newModel();
    const streamed = texts.map(() => '');
    const found = await model.generate(texts, {
      onPiece: (piece, index) => {
        streamed[index] += piece.text;
      },
    });
    expect(streamed).toEqual(await model.translate(texts));
    expect(found[0]![0]!.text).toBe(streamed[0]);
  });

  it('evaluates pairs and counts those that do not fit', async () => {
    const events: JobEvent[] = [];
    const model = await newModel({ events });
    const pairs = ['abc', 'bad', 'cab e'].map((source) => ({ source, target: source }));
    const result = await model.evaluate([...pairs, { source: 'a'.repeat(99), target: 'b' }]);
    expect(result).toMatchObject({ pairs: 3, skipped: 1, sentences: 3 });
    expect(result.loss).toBeGreaterThan(0);
    expect(result.perplexity).toBeCloseTo(Math.exp(result.loss), 4);
    expect(result.tokenAccuracy).toBeLessThanOrEqual(1);
    expect(result.bleu).toBeGreaterThanOrEqual(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'progress', task: 'translate' }));
    await expect(model.evaluate([])).rejects.toThrow(errorAbout({ area: 'evaluate' }));
    const onProgress = vi.fn(() => Promise.reject(new Error('mine')));
    await expect(model.evaluate(pairs, { onProgress })).rejects.toThrow(new Error('mine'));
    expect(onProgress).toHaveBeenCalledWith(pairs.length, pairs.length);
  });

  it('has the same translations after it is saved to an archive and loaded', async () => {
    const model = await newModel();
    const blob = await model.toBlob();
    const copy = await loadModel(blob, await onDevice());
    open.push(copy);
    expect(copy.config).toEqual(model.config);
    expect(await copy.translate(texts)).toEqual(await model.translate(texts));
    const quantized = await loadModel(new File([blob], 'model.zip'), {
      ...(await onDevice()),
      weights: 'int8',
    });
    open.push(quantized);
    expect(await quantized.translate(texts)).toHaveLength(texts.length);
    const url = URL.createObjectURL(blob);
    open.push(await loadModel(url, await onDevice()));
    expect(open.at(-1)!.parameterCount).toBe(model.parameterCount);
  });

  it('stores its weights as f16', async () => {
    const model = await newModel();
    const [blob, small] = [await model.toBlob(), await model.toBlob({ dtype: 'f16' })];
    expect(blob.size - small.size).toBeGreaterThan(1.9 * model.parameterCount);
    const copy = await loadModel(small, await onDevice());
    open.push(copy);
    const weights = model.weights();
    for (const [name, { data }] of Object.entries(copy.weights()))
      expect(data, name).toEqual(Float32Array.from(weights[name]!.data, roundToF16));
  });

  it('has weights by name, and a plan', async () => {
    const model = await newModel();
    const weights = model.weights();
    expect(Object.values(weights).reduce((n, { data }) => n + data.length, 0)).toBe(model.parameterCount);
    expect(await model.plan({ batch: 2, source: 8, target: 8 })).toMatch(/^source\n[\s\S]*\nstep\n/);
    expect(model.tokenizers.source).toBe(saved.source);
  });

  it('moves its weights to a new device when the device is lost', async () => {
    const { gpu, lose } = fragileGpu(await testGpu());
    const model = await newModel({ session: testSession({ device: gpu }) });
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

  it('names the problem of a call', async () => {
    const model = await newModel();
    await expect(model.translate('a'.repeat(40))).rejects.toThrow(
      errorAbout({ area: 'translate', values: [1, 41] }),
    );
    await expect(model.translate('a', { batch: 2 } as never)).rejects.toThrow(
      errorAbout({ area: 'decode', values: ['batch'] }),
    );
    await expect(model.translate(null as never)).rejects.toThrow(
      errorAbout({ area: 'translate', values: [1] }),
    );
    await expect(model.translate('a', { beam: 2 } as never)).rejects.toThrow(
      errorAbout({ area: 'decode', values: ['beam', 'beams'] }),
    );
    await expect(model.save('out', { format: 'lora' })).rejects.toThrow(errorAbout({ area: 'save' }));
    await expect(model.save('out', { dtype: 'bf16' })).rejects.toThrow(
      errorAbout({ area: 'save', values: ['heddle', 'bf16', 'f32', 'f16'] }),
    );
    await expect(model.save('out', { format: 'keras', dtype: 'f16' })).rejects.toThrow(
      errorAbout({ area: 'save', values: ['keras'] }),
    );
    await expect(model.translate('a', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      new Error('enough'),
    );
    const stream = model.stream('bad cab');
    expect((await stream.next()).done).toBe(false);
    model.dispose();
    await expect(stream.next()).rejects.toThrow(errorAbout(disposedModel));
    await expect(model.translate('a')).rejects.toThrow(errorAbout(disposedModel));
  });
});

describe('LoRA adapters of one base', () => {
  const { config, weights } = saved;
  const small = loraConfig({ rank: 4, targetModules: ['*.q', 'fc1'] });
  const wide = loraConfig({ rank: 8, alpha: 5, targetModules: ['*.v', 'out_proj', 'fc2'] });
  /** Weights of an adapter that change the translations. */
  const adapterOf = (lora: LoraConfig, seed: number) => ({
    lora,
    weights: randomTensor([loraParameters(config, lora).size], seed, 0.5).data as Float32Array,
    baseFingerprint: fingerprintOf([weights]),
  });
  const adapters = { small: adapterOf(small, 1), wide: adapterOf(wide, 2), other: adapterOf(small, 3) };

  /** Files with the base and its adapters, also one of another base. */
  async function folders() {
    const files = memoryFiles();
    await saveModelFolder(files, 'base', saved);
    for (const [name, adapter] of Object.entries(adapters))
      await writeFolder(files, name, loraFiles(config, adapter, 'base'));
    await writeFolder(
      files,
      'foreign',
      loraFiles(config, { ...adapters.small, baseFingerprint: '0123' }, 'base'),
    );
    return files;
  }
  const opened = async (session: Session, lora: Record<string, string>) => {
    const files = await folders();
    const model = await openFolder('base', session.with({ files }), { lora });
    open.push(model);
    return model;
  };
  const scoresOf = async (model: Model) => {
    const found = await model.score([{ source: 'bad cab', target: 'abc' }]);
    return found[0]!.logProb;
  };

  it('switch without new pipelines, buffers or weights, and compute as the merged models', async () => {
    const watched = watchedDevice(await gpuDevice());
    const session = testSession({ device: watched.device });
    const model = await opened(session, { small: 'small', wide: 'wide', other: 'other' });
    const wanted = new Map<string | null, { texts: string[]; score: number }>();
    for (const name of [null, 'small', 'wide', 'other'] as const) {
      const own = name === null ? saved : mergedWith(saved, adapters[name]);
      const merged = await newModel({ saved: own });
      wanted.set(name, { texts: await merged.translate(texts), score: await scoresOf(merged) });
    }
    expect(new Set([...wanted.values()].map(({ texts: all }) => all.join())).size).toBe(4);
    await model.translate(texts);
    const write = vi.spyOn((await gpuDevice()).queue, 'writeBuffer');
    watched.reset();
    for (const name of ['wide', 'small', null, 'other', 'wide'] as const) {
      model.useLora(name);
      expect(await model.translate(texts), String(name)).toEqual(wanted.get(name)!.texts);
    }
    for (const method of [
      'createBuffer',
      'createComputePipelineAsync',
      'createComputePipeline',
      'createShaderModule',
    ])
      expect(watched.calls.get(method), method).toBeUndefined();
    // An adapter of all these layers at once is smaller than the base.
    const uploaded = write.mock.calls.map(([, , data]) => (data as ArrayBuffer).byteLength);
    write.mockRestore();
    expect(Math.max(...uploaded)).toBeLessThan(weights.byteLength);
    expect(uploaded.filter((bytes) => bytes > 8192).length).toBeLessThanOrEqual(5);
    for (const name of ['small', null, 'wide'] as const) {
      model.useLora(name);
      expect(await scoresOf(model)).toBeCloseTo(wanted.get(name)!.score, 4);
    }
  });

  it('are added later, saved merged, rejected for another base, and named in errors', async () => {
    const model = await opened(testSession({ device: await gpuDevice() }), {});
    const base = await model.translate(texts);
    await model.addLora('small', 'small');
    expect(await model.translate(texts)).toEqual(base);
    model.useLora('small');
    const tuned = await model.translate(texts);
    await model.addLora('wide', 'wide');
    expect(await model.translate(texts)).toEqual(tuned);
    expect(tuned).toEqual(
      await (await newModel({ saved: mergedWith(saved, adapters.small) })).translate(texts),
    );
    const again = await loadModel(new Blob([await (await model.toBlob()).arrayBuffer()]), await onDevice());
    open.push(again);
    expect(await again.translate(texts)).toEqual(tuned);
    await expect(model.addLora('foreign', 'foreign')).rejects.toThrow(
      errorAbout({ area: 'foreign', values: ['adapter_config.json'] }),
    );
    expect(() => model.useLora('foreign')).toThrow(
      errorAbout({ kind: 'not-found', area: 'useLora', values: ['foreign', 'small', 'wide'] }),
    );
    model.useLora(null);
    expect(await model.translate(texts)).toEqual(base);
  });

  it('switch on int8 weights too', async () => {
    const files = await folders();
    const session = testSession({ device: await gpuDevice() });
    const model = await openFolder('base', session.with({ files }), { lora: 'wide', weights: 'int8' });
    open.push(model);
    const exact = await newModel({ saved: mergedWith(saved, adapters.wide) });
    expect(await scoresOf(model)).toBeCloseTo(await scoresOf(exact), 0);
    expect(await scoresOf(model)).not.toBe(await scoresOf(exact));
  });
});
