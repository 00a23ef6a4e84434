// The table of guests: which settings, folders, files or sources need which guest. Its rows load a guest when it is
// needed; a bundler splits the code along them. The entries, the command and the pages hand the table to the session.

import type { ModelSource } from '../files/hub/model-source.ts';
import { isObject } from '../files/json-files.ts';
import type { ModelFormat } from '../formats/model-format.ts';
import type { Features } from '../session/feature-table.ts';
import { type CorporaSettings, corporaSettings } from './corpora/corpora-settings.ts';
import { pairReaders } from './documents/pairs/pair-readers.ts';
import { firefoxFacts, isLanguagePair, marianFacts } from './marian/marian-format.ts';
import { type OnnxDtype, onnxFacts } from './onnx/onnx-format.ts';
import { pytorchFacts } from './pytorch/pytorch-format.ts';
import { speechMetrics } from './speech/speech-metrics.ts';
import { maskOptions, speechSettings } from './speech/speech-settings.ts';

const whisperFormat = () => import('./speech/whisper-format.ts');

const pytorch: ModelFormat = {
  ...pytorchFacts,
  async read({ files, path, config = {}, readOrigin }) {
    return (await import('./pytorch/pytorch.ts')).loadPytorch(files, path, config, readOrigin);
  },
  async write({ model }) {
    return (await import('./pytorch/pytorch.ts')).pytorchFiles(model);
  },
};

const onnx: ModelFormat = {
  ...onnxFacts,
  async write({ model, dtype, onWarning }) {
    const { onnxFiles } = await import('./onnx/export/save-onnx.ts');
    return onnxFiles(model, { dtype: dtype as OnnxDtype | undefined, onWarning });
  },
};

/** The formats of Marian and Firefox differ in what they write. */
const marianCode: Pick<ModelFormat, 'write'> = {
  async write(outgoing) {
    return (await import('./marian/files/save-marian.ts')).writeMarian(outgoing);
  },
};

const marian: ModelFormat = {
  ...marianFacts,
  ...marianCode,
  async read({ files, path }) {
    return (await import('./marian/files/load-marian.ts')).loadMarian(files, path);
  },
  async readOrigin(files, path, json, config) {
    return (await import('./marian/files/load-marian.ts')).readMarianOrigin(files, path, json, config);
  },
};

const firefox: ModelFormat = { ...firefoxFacts, ...marianCode };

const firefoxReleases: ModelSource = {
  hasName: isLanguagePair,
  async pull(request) {
    return (await import('./marian/firefox-release.ts')).pullRelease(request);
  },
};

/** Whisper is a family of Hugging Face; its files are read and written as those of the others. */
const whisper: ModelFormat = {
  names: ['whisper'],
  title: 'Whisper of Hugging Face',
  dtypes: ['f32', 'f16', 'bf16'],
  defaultDtype: 'that of the source checkpoint, or f32',
  isConfig: ({ model_type: type }) => type === 'whisper',
  async read({ files, path, config, inParts, sourceKinds }) {
    return (await whisperFormat()).loadWhisper(files, path, config, sourceKinds, inParts);
  },
  async readConfig(config, path) {
    return (await whisperFormat()).readWhisperConfig(config, path);
  },
  async readOrigin(files, path, json, config) {
    return (await whisperFormat()).readWhisperOrigin(files, path, json, config);
  },
  async write({ model, dtype }) {
    return (await whisperFormat()).whisperFiles(model, dtype);
  },
};

const withoutGpu = () => import('./onnx/engine-without-gpu.ts');

/** All guests. */
export const features: Features = {
  settings: [corporaSettings, speechSettings],
  givenData: [
    {
      matches: (given) => isObject(given) && !('kind' in given) && ('data' in given || 'stages' in given),
      load: async () => (await import('./corpora/corpus-stages.ts')).mixtureReader,
    },
    {
      matches: (given) => Array.isArray(given) && isObject(given[0]) && 'audio' in given[0],
      load: async () => (await import('./speech/speech-clips.ts')).clipReader,
    },
  ],
  dataSteps: [
    {
      isNeeded: (_, hasStages) => hasStages,
      load: async () => (await import('./corpora/train/mixture-step.ts')).mixtureStep,
    },
    {
      isNeeded: (settings) => (settings as CorporaSettings).guidedAlignment !== undefined,
      needsTexts: true,
      load: async () => (await import('./corpora/train/guide-step.ts')).guideStep,
    },
    {
      isNeeded(settings) {
        const { samplingAlpha = 0, bpeDropout = 0, augment } = settings as CorporaSettings;
        return samplingAlpha > 0 || bpeDropout > 0 || augment !== undefined;
      },
      load: async () => (await import('./corpora/train/draw-step.ts')).drawStep,
    },
    {
      isNeeded(settings) {
        const { maskTimeProb, maskFeatureProb } = maskOptions(settings);
        return maskTimeProb > 0 || maskFeatureProb > 0;
      },
      load: async () => (await import('./speech/train/mask-step.ts')).maskStep,
    },
  ],
  trainingSources: {
    frames: async () => (await import('./speech/train/training-frames.ts')).frameSource,
  },
  formats: [pytorch, onnx, marian, firefox, whisper],
  sources: [firefoxReleases],
  metrics: speechMetrics,
  pairReaders,
  textTasks: {
    draw: async () => (await import('./corpora/batches/drawn-rows.ts')).drawTask,
    trainLexicon: async () => (await import('./corpora/align/lexicon.ts')).lexiconTask,
    clean: async () => (await import('./corpora/clean/clean-block.ts')).cleanTask,
  },
  engines: {
    wasm: async (session, trains) => (await withoutGpu()).engineWithoutGpu('wasm', session, trains),
    auto: async (session, trains) => (await withoutGpu()).engineWithoutGpu('auto', session, trains),
  },
  ruledTexts: async () => (await import('./documents/decode/phrase-translations.ts')).decodeWithPhrases,
  sourceKinds: { frames: async () => (await import('./speech/frame-source.ts')).frames },
};
