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
const translator = createTranslator({ ...languages, model });

it.each<[meant: string, call: () => unknown]>([
  ['Did you mean batchSize?', () => model.translate('a', wrong({ batchsize: 2 }))],
  ['Did you mean targetLang?', () => model.translate('a', wrong({ targetLanguage: 'es' }))],
  ['Did you mean onProgress?', () => model.translate('a', wrong({ onprogress: () => 1 }))],
  ['Did you mean batchSize?', () => model.score(pairs, wrong({ batchsize: 2 }))],
  ['Did you mean translations?', () => model.evaluate(pairs, wrong({ translation: true }))],
  ['Did you mean batch?', () => model.plan(wrong({ batchs: 2 }))],
  ['Did you mean tensors?', () => model.inspect('a', wrong({ tensor: true }))],
  ['Did you mean onStep?', () => train(pairs, wrong({ onstep: () => 1, heldOut: 0 }))],
  ['Did you mean checkpoint?', () => train(pairs, wrong({ chekpoint: 'x', heldOut: 0 }))],
  ['Did you mean memoryBudget?', () => planTraining(pairs, wrong({ memBudget: 2, heldOut: 0 }))],
  [
    'planTraining: there is no option step. Did you mean steps?',
    () => planTraining(pairs, wrong({ resume: true, tune: false, checkpoint: 'x', step: 1, heldOut: 0 })),
  ],
  ['planTraining: there are no pairs', () => planTraining([])],
  ['planTraining: pairs[0] must be', () => planTraining([wrong({})])],
  ['train: pairs[1] has a NUL character', () => train([...pairs, { source: 'a', target: 'b\0' }])],
  ['train: dev[0] has a NUL character', () => train(pairs, { dev: [{ source: '\0a', target: 'b' }] })],
  ['train: test[0] has', () => train(pairs, { test: [{ source: 'a', target: 'b', others: ['c', '\0'] }] })],
  ['evaluate: pairs[0] has a NUL character', () => model.evaluate([{ source: 'a\0', target: 'b' }])],
  ['score: pairs[0] has a NUL character', () => model.score([{ source: 'a\0', target: 'b' }])],
  ['Did you mean path?', () => train(wrong({ kind: 'tsv', pth: 'x' }))],
  ['needs task', () => train(wrong({ kind: 'task', pairs: 10, seed: 1 }))],
  ['no corpus of kind tvs', () => train(wrong({ kind: 'tvs', path: 'x' }))],
  ['Did you mean dev?', () => train(wrong({ data: { 'x.tsv': 1 }, dv: 'x' }))],
  ['Did you mean revision?', () => pullModel('a/b', 'x', wrong({ revison: 'v1' }))],
  ['the names are format,', () => readPairs('x.tsv', wrong({ colums: 'a' }))],
  ['Did you mean dev?', () => splitPairs(pairs, wrong({ devv: 0.1 }))],
  [
    'bleu: there is no option smothing. Did you mean smoothing?',
    () => corpusBleu(['a'], ['a'], wrong({ smothing: 'none' })),
  ],
  ['Did you mean tokenize?', () => corpusBleu(['a'], ['a'], wrong({ tokenise: '13a' }))],
  ['bleu: there is no option max; the names are smoothing, ', () => corpusBleu([], [], wrong({ max: 1 }))],
  ['chrf: there is no option betta. Did you mean beta?', () => corpusChrf(['a'], ['a'], wrong({ betta: 1 }))],
  ['Did you mean model?', () => createTranslator(wrong({ ...languages, modle: model }))],
  ['sourceLanguage is undefined', () => createTranslator(wrong({ targetLanguage: 'es', model }))],
  ['Did you mean files?', () => readModelFacts('x', wrong({ filez: 1 }))],
  ['Did you mean files?', () => packModel('x', wrong({ filez: 1 }))],
  ['Did you mean files?', () => importModel(new Blob([]), 'x', wrong({ filez: 1 }))],
  ['Did you mean files?', () => readCheckpoint('x', wrong({ filez: 1 }))],
  ['Did you mean files?', () => readTrainingLog('x', wrong({ filez: 1 }))],
  [
    'Did you mean languagePair?',
    () => model.save('x', { format: 'firefox', formatOptions: { pair: 'enes' } }),
  ],
  ['Did you mean seed?', () => taskCorpus(wrong({ task: 'sort', pairs: 3, sed: 1 }))],
  ['Did you mean adapter?', () => dawnGpu(wrong({ adaptr: 'x' }))],
  ['lora must be a folder', () => loadModel('x', wrong({ lora: 5 }))],
  ['ensemble must be a list', () => loadModel('x', wrong({ ensemble: 'other' }))],
  [
    'pairs[1] must be { source, target }, two texts; its field others must be a list of texts',
    () => model.evaluate([...pairs, wrong({ source: 'a', target: 'b', others: 5 })]),
  ],
  ['phrases: give a list of texts for each', () => model.translate('a', wrong({ phrases: ['b'] }))],
  ['phrases: give a list of texts for each', () => model.generate(['a', 'b'], { phrases: [['b']] })],
  [
    'onPiece is not for phrases or placeholders',
    () => model.generate('a', { phrases: [['b']], onPiece: () => undefined }),
  ],
  ['badWords: give a list', () => model.translate('a', wrong({ badWords: 'b' }))],
  ['prefix: give a text', () => model.translate('a', wrong({ prefix: 5 }))],
  ['save: give a folder or a name', () => model.save(wrong({}))],
  ['Did you mean files?', () => registerHost(wrong({ file: {} }))],
  ['device must be', () => train(pairs, wrong({ device: null, heldOut: 0 }))],
  ['Did you mean name?', () => model.evaluate(pairs, wrong({ nme: 'x' }))],
  ['lengthPenalty is', () => model.translate('a', { beams: 2, lengthPenalty: wrong({ power: 1, pwer: 1 }) })],
  ['lengthPenalty is', () => model.translate('a', { beams: 2, lengthPenalty: wrong({ pwer: 1 }) })],
  ['Did you mean lora.rank?', () => train(pairs, { heldOut: 0, lora: wrong({ rnk: 1 }) })],
  ['train: the options must be an object', () => train(pairs, null as never)],
  ['train: onStep must be a function', () => train(pairs, wrong({ heldOut: 0, onStep: 1 }))],
  ['train: lora needs lora.rank', () => train(pairs, { heldOut: 0, lora: wrong({}) })],
  ['checkpoint must be a folder', () => train(pairs, wrong({ heldOut: 0, checkpoint: {} }))],
  ['checkpoint must be a folder', () => train(pairs, { heldOut: 0, checkpoint: '' })],
  ['Did you mean onMessage?', () => readTrainingLog('x', wrong({ onMesage: () => 1 }))],
  ['Did you mean signal?', async () => (await translator).translate('a', wrong({ sinal: signal }))],
  ['Did you mean signal?', async () => (await translator).measureInputUsage('a', wrong({ sinal: signal }))],
  [
    'Did you mean signal?',
    async () =>
      (await translator)
        .translateStreaming('a', wrong({ sinal: signal }))
        .getReader()
        .read(),
  ],
  [
    'launchChrome: there is no option headles. Did you mean headless?',
    () => launchChrome(wrong({ headles: 1 })),
  ],
  ['Did you mean preferences?', () => launchFirefox(wrong({ preference: {} }))],
  ['launchFirefox: there is no option gpu', () => launchFirefox(wrong({ gpu: 'auto' }))],
  ['Did you mean timeout?', () => runInPage(wrong({}), 'x', wrong({ call: 'x', timout: 1 }))],
  ['signal must be an AbortSignal', () => model.translate('a', { signal })],
  ['signal must be an AbortSignal', () => model.stream('a', { signal }).next()],
  ['signal must be an AbortSignal', () => model.generate('a', { signal })],
  ['signal must be an AbortSignal', () => model.evaluate(pairs, { signal })],
  ['signal must be an AbortSignal', () => model.score(pairs, { signal })],
  ['signal must be an AbortSignal', () => model.attention('a', { signal })],
  ['signal must be an AbortSignal', () => train(pairs, { heldOut: 0, signal })],
  ['signal must be an AbortSignal', () => planTraining(pairs, wrong({ heldOut: 0, signal }))],
  ['signal must be an AbortSignal', () => loadModel('x', { signal })],
  ['signal must be an AbortSignal', () => pullModel('a/b', 'x', { signal })],
  ['signal must be an AbortSignal', () => readPairs(new Blob(['a\tb']), { format: 'tsv', signal })],
  ['signal must be an AbortSignal', () => createTranslator({ ...languages, model, signal })],
  ['signal must be an AbortSignal', async () => (await translator).translate('a', { signal })],
])('%s (%#)', async (meant, call) => {
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: 'input', message: expect.stringContaining(meant) });
});

it('says that Node has no private file system', async () => {
  await expect(openBrowserFiles()).rejects.toMatchObject({ kind: 'unsupported' });
});
