// Unknown and wrong options of the public functions: a HeddleError of kind `input` that names the option which was
// meant.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTranslator } from '../../src/api/create-translator.ts';
import { Model } from '../../src/api/model.ts';
import { importModel, packModel, pullModel, readModelFacts } from '../../src/api/model-files.ts';
import { readPairs } from '../../src/api/read-pairs.ts';
import { readCheckpoint, readTrainingLog } from '../../src/api/saved-training.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { planTraining } from '../../src/entries/plan-with-features.ts';
import { train } from '../../src/entries/train-with-features.ts';
import { launchChrome } from '../../src/host/chrome.ts';
import { dawnGpu } from '../../src/host/dawn.ts';
import { launchFirefox } from '../../src/host/firefox.ts';
import { runInPage } from '../../src/host/run-in-page.ts';
import { currentHost, openBrowserFiles, registerHost } from '../../src/session/host.ts';
import { splitPairs } from '../../src/text/corpus/pairs.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';
import { corpusChrf } from '../../src/text/metrics/chrf.ts';
import { taskCorpus } from '../../src/text/tasks/task-corpus.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';
import { letterModel } from '../support/saved-model.ts';
import { testHost, testSession } from '../support/session.ts';

const before = currentHost();
beforeAll(() => registerHost(testHost()));
afterAll(() => registerHost(before));

const languages = { sourceLanguage: 'en', targetLanguage: 'es' };
const pairs = [{ source: 'abc', target: 'cab' }];
const model = new Model(letterModel(), testSession({ device: 'cpu' }));
/** Options that TypeScript refuses. */
const wrong = (options: object) => options as never;
const signal = wrong({});
const noSignal = { template: 'signal must be an AbortSignal' };
const translator = createTranslator({ ...languages, model });

it.each<[expected: ExpectedError, call: () => unknown]>([
  [
    { area: 'decode', values: ['batchsize', 'batchSize'] },
    () => model.translate('a', wrong({ batchsize: 2 })),
  ],
  [
    { area: 'decode', values: ['targetLanguage', 'targetLang'] },
    () => model.translate('a', wrong({ targetLanguage: 'es' })),
  ],
  [
    { area: 'decode', values: ['onprogress', 'onProgress'] },
    () => model.translate('a', wrong({ onprogress: () => 1 })),
  ],
  [{ area: 'score', values: ['batchsize', 'batchSize'] }, () => model.score(pairs, wrong({ batchsize: 2 }))],
  [
    { area: 'decode', values: ['translation', 'translations'] },
    () => model.evaluate(pairs, wrong({ translation: true })),
  ],
  [{ area: 'plan', values: ['batchs', 'batch'] }, () => model.plan(wrong({ batchs: 2 }))],
  [{ area: 'inspect', values: ['tensor', 'tensors'] }, () => model.inspect('a', wrong({ tensor: true }))],
  [
    { area: 'train', values: ['onstep', 'onStep'] },
    () => train(pairs, wrong({ onstep: () => 1, heldOut: 0 })),
  ],
  [
    { area: 'train', values: ['chekpoint', 'checkpoint'] },
    () => train(pairs, wrong({ chekpoint: 'x', heldOut: 0 })),
  ],
  [
    { area: 'planTraining', values: ['memBudget', 'memoryBudget'] },
    () => planTraining(pairs, wrong({ memBudget: 2, heldOut: 0 })),
  ],
  [
    { area: 'planTraining', values: ['step', 'steps'] },
    () => planTraining(pairs, wrong({ resume: true, tune: false, checkpoint: 'x', step: 1, heldOut: 0 })),
  ],
  [{ area: 'planTraining' }, () => planTraining([])],
  [{ area: 'planTraining', values: ['pairs', 0] }, () => planTraining([wrong({})])],
  [{ area: 'train', values: ['pairs', 1] }, () => train([...pairs, { source: 'a', target: 'b\0' }])],
  [{ area: 'train', values: ['dev', 0] }, () => train(pairs, { dev: [{ source: '\0a', target: 'b' }] })],
  [
    { area: 'train', values: ['test', 0] },
    () => train(pairs, { test: [{ source: 'a', target: 'b', others: ['c', '\0'] }] }),
  ],
  [{ values: ['evaluate: pairs', 0] }, () => model.evaluate([{ source: 'a\0', target: 'b' }])],
  [{ values: ['score: pairs', 0] }, () => model.score([{ source: 'a\0', target: 'b' }])],
  [
    { area: 'train: corpus of kind tsv', values: ['pth', 'path'] },
    () => train(wrong({ kind: 'tsv', pth: 'x' })),
  ],
  [{ area: 'train', values: ['task'] }, () => train(wrong({ kind: 'task', pairs: 10, seed: 1 }))],
  [{ area: 'train', values: ['tvs', 'intl', 'task'] }, () => train(wrong({ kind: 'tvs', path: 'x' }))],
  [{ area: 'train', values: ['dv', 'dev'] }, () => train(wrong({ data: { 'x.tsv': 1 }, dv: 'x' }))],
  [
    { area: 'pullModel', values: ['revison', 'revision'] },
    () => pullModel('a/b', 'x', wrong({ revison: 'v1' })),
  ],
  [
    { area: 'readPairs', values: ['colums', 'format', 'sourceColumn'] },
    () => readPairs('x.tsv', wrong({ colums: 'a' })),
  ],
  [{ area: 'split', values: ['devv', 'dev'] }, () => splitPairs(pairs, wrong({ devv: 0.1 }))],
  [
    { area: 'bleu', values: ['smothing', 'smoothing'] },
    () => corpusBleu(['a'], ['a'], wrong({ smothing: 'none' })),
  ],
  [
    { area: 'bleu', values: ['tokenise', 'tokenize'] },
    () => corpusBleu(['a'], ['a'], wrong({ tokenise: '13a' })),
  ],
  [
    { area: 'bleu', values: ['max', 'smoothing', 'smoothingValue'] },
    () => corpusBleu([], [], wrong({ max: 1 })),
  ],
  [{ area: 'chrf', values: ['betta', 'beta'] }, () => corpusChrf(['a'], ['a'], wrong({ betta: 1 }))],
  [
    { area: 'createTranslator', values: ['modle', 'model'] },
    () => createTranslator(wrong({ ...languages, modle: model })),
  ],
  [
    { area: 'createTranslator', values: ['sourceLanguage', 'undefined'] },
    () => createTranslator(wrong({ targetLanguage: 'es', model })),
  ],
  [{ area: 'readModelFacts', values: ['filez', 'files'] }, () => readModelFacts('x', wrong({ filez: 1 }))],
  [{ area: 'packModel', values: ['filez', 'files'] }, () => packModel('x', wrong({ filez: 1 }))],
  [
    { area: 'importModel', values: ['filez', 'files'] },
    () => importModel(new Blob([]), 'x', wrong({ filez: 1 })),
  ],
  [{ area: 'readCheckpoint', values: ['filez', 'files'] }, () => readCheckpoint('x', wrong({ filez: 1 }))],
  [{ area: 'readTrainingLog', values: ['filez', 'files'] }, () => readTrainingLog('x', wrong({ filez: 1 }))],
  [
    { area: 'save: firefox', values: ['pair', 'languagePair'] },
    () => model.save('x', { format: 'firefox', formatOptions: { pair: 'enes' } }),
  ],
  [{ area: 'task', values: ['sed', 'seed'] }, () => taskCorpus(wrong({ task: 'sort', pairs: 3, sed: 1 }))],
  [{ area: 'dawnGpu', values: ['adaptr', 'adapter'] }, () => dawnGpu(wrong({ adaptr: 'x' }))],
  [{ area: 'loadModel' }, () => loadModel('x', wrong({ lora: 5 }))],
  [{ area: 'loadModel' }, () => loadModel('x', wrong({ ensemble: 'other' }))],
  [
    { values: ['evaluate: pairs', 1] },
    () => model.evaluate([...pairs, wrong({ source: 'a', target: 'b', others: 5 })]),
  ],
  [{ area: 'phrases' }, () => model.translate('a', wrong({ phrases: ['b'] }))],
  [{ area: 'phrases' }, () => model.generate(['a', 'b'], { phrases: [['b']] })],
  [
    { template: 'onPiece is not for phrases or placeholders' },
    () => model.generate('a', { phrases: [['b']], onPiece: () => undefined }),
  ],
  [{ area: 'badWords' }, () => model.translate('a', wrong({ badWords: 'b' }))],
  [{ area: 'prefix' }, () => model.translate('a', wrong({ prefix: 5 }))],
  [{ area: 'save' }, () => model.save(wrong({}))],
  [{ area: 'registerHost', values: ['file', 'files'] }, () => registerHost(wrong({ file: {} }))],
  [{ values: ['gpu', 'wasm', 'auto'] }, () => train(pairs, wrong({ device: null, heldOut: 0 }))],
  [{ area: 'decode', values: ['nme', 'name'] }, () => model.evaluate(pairs, wrong({ nme: 'x' }))],
  [
    { area: 'decode', options: ['lengthPenalty'], values: ['{"power":1,"pwer":1}'] },
    () => model.translate('a', { beams: 2, lengthPenalty: wrong({ power: 1, pwer: 1 }) }),
  ],
  [
    { area: 'decode', options: ['lengthPenalty'], values: ['{"pwer":1}'] },
    () => model.translate('a', { beams: 2, lengthPenalty: wrong({ pwer: 1 }) }),
  ],
  [
    { area: 'train', values: ['lora.rnk', 'lora.rank'] },
    () => train(pairs, { heldOut: 0, lora: wrong({ rnk: 1 }) }),
  ],
  [{ area: 'train' }, () => train(pairs, null as never)],
  [{ area: 'train', values: ['onStep'] }, () => train(pairs, wrong({ heldOut: 0, onStep: 1 }))],
  [{ area: 'train', options: ['lora', 'lora.rank'] }, () => train(pairs, { heldOut: 0, lora: wrong({}) })],
  [{ area: 'train' }, () => train(pairs, wrong({ heldOut: 0, checkpoint: {} }))],
  [{ area: 'train' }, () => train(pairs, { heldOut: 0, checkpoint: '' })],
  [
    { area: 'readTrainingLog', values: ['onMesage', 'onMessage'] },
    () => readTrainingLog('x', wrong({ onMesage: () => 1 })),
  ],
  [
    { area: 'translate', values: ['sinal', 'signal'] },
    async () => (await translator).translate('a', wrong({ sinal: signal })),
  ],
  [
    { area: 'translate', values: ['sinal', 'signal'] },
    async () => (await translator).measureInputUsage('a', wrong({ sinal: signal })),
  ],
  [
    { area: 'translate', values: ['sinal', 'signal'] },
    async () =>
      (await translator)
        .translateStreaming('a', wrong({ sinal: signal }))
        .getReader()
        .read(),
  ],
  [{ area: 'launchChrome', values: ['headles', 'headless'] }, () => launchChrome(wrong({ headles: 1 }))],
  [
    { area: 'launchFirefox', values: ['preference', 'preferences'] },
    () => launchFirefox(wrong({ preference: {} })),
  ],
  [
    { area: 'launchFirefox', values: ['gpu', 'headless', 'executablePath'] },
    () => launchFirefox(wrong({ gpu: 'auto' })),
  ],
  [
    { area: 'runInPage', values: ['timout', 'timeout'] },
    () => runInPage(wrong({}), 'x', wrong({ call: 'x', timout: 1 })),
  ],
  [noSignal, () => model.translate('a', { signal })],
  [noSignal, () => model.stream('a', { signal }).next()],
  [noSignal, () => model.generate('a', { signal })],
  [noSignal, () => model.evaluate(pairs, { signal })],
  [noSignal, () => model.score(pairs, { signal })],
  [noSignal, () => model.attention('a', { signal })],
  [noSignal, () => train(pairs, { heldOut: 0, signal })],
  [noSignal, () => planTraining(pairs, wrong({ heldOut: 0, signal }))],
  [noSignal, () => loadModel('x', { signal })],
  [noSignal, () => pullModel('a/b', 'x', { signal })],
  [noSignal, () => readPairs(new Blob(['a\tb']), { format: 'tsv', signal })],
  [noSignal, () => createTranslator({ ...languages, model, signal })],
  [noSignal, async () => (await translator).translate('a', { signal })],
])('%# is an error about %o', async (expected, call) => {
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toEqual(errorAbout(expected));
});

it('says that Node has no private file system', async () => {
  await expect(openBrowserFiles()).rejects.toThrow(
    errorAbout({
      kind: 'unsupported',
      template: 'There is no private file system (OPFS) here; give registerHost other files',
    }),
  );
});
