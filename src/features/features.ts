// The table of guests: which settings, folders, files or sources need which guest. Its rows load a guest when it is
// needed; a bundler splits the code along them. The entries, the command and the pages hand the table to the session.

import { isObject } from '../files/json-files.ts';
import { type Features, joinFeatures } from '../session/feature-table.ts';
import { type CorporaSettings, corporaSettings } from './corpora/corpora-settings.ts';
import { pairReaders } from './documents/pairs/pair-readers.ts';
import { type HtmlDtype, htmlFacts } from './html/html-facts.ts';
import { firefoxFacts, isLanguagePair, marianFacts } from './marian/marian-format.ts';
import { type OnnxDtype, onnxFacts } from './onnx/onnx-format.ts';
import { pytorchFacts } from './pytorch/pytorch-format.ts';
import { speechMetrics } from './speech/speech-metrics.ts';
import { maskOptions, speechSettings } from './speech/speech-settings.ts';
import { whisperFacts } from './speech/whisper-facts.ts';

/** Files with segments, and texts with codes and phrases. */
const documents: Partial<Features> = {
  pairReaders,
  ruledTexts: async () => (await import('./documents/decode/phrase-translations.ts')).decodeWithPhrases,
};

/** From pairs to better pairs and losses: for trainings only. */
const corpora: Partial<Features> = {
  settings: [corporaSettings],
  givenData: [
    {
      matches: (given) => isObject(given) && !('kind' in given) && ('data' in given || 'stages' in given),
      load: async () => (await import('./corpora/corpus-stages.ts')).mixtureReader,
    },
  ],
  dataSteps: [
    {
      name: 'mixtures',
      isNeeded: (_, hasStages) => hasStages,
      load: async () => (await import('./corpora/train/mixture-step.ts')).mixtureStep,
    },
    {
      name: 'guided alignment',
      isNeeded: (settings) => (settings as CorporaSettings).guidedAlignment !== undefined,
      needsTexts: true,
      load: async () => (await import('./corpora/train/guide-step.ts')).guideStep,
    },
    {
      name: 'drawn pieces and augmentation',
      isNeeded(settings) {
        const { samplingAlpha = 0, bpeDropout = 0, augment } = settings as CorporaSettings;
        return samplingAlpha > 0 || bpeDropout > 0 || augment !== undefined;
      },
      load: async () => (await import('./corpora/train/draw-step.ts')).drawStep,
    },
  ],
  textTasks: {
    draw: async () => (await import('./corpora/batches/drawn-rows.ts')).drawTask,
    trainLexicon: async () => (await import('./corpora/align/lexicon.ts')).lexiconTask,
    clean: async () => (await import('./corpora/clean/clean-block.ts')).cleanTask,
  },
};

/** Files of PyTorch. */
const pytorch: Partial<Features> = {
  formats: [
    {
      ...pytorchFacts,
      async read({ files, path, config = {}, readOrigin }) {
        return (await import('./pytorch/pytorch.ts')).loadPytorch(files, path, config, readOrigin);
      },
      async write({ model }) {
        return (await import('./pytorch/pytorch.ts')).pytorchFiles(model);
      },
    },
  ],
};

/** The ONNX export, and devices without a GPU. */
const onnx: Partial<Features> = {
  formats: [
    {
      ...onnxFacts,
      async write({ model, dtype, onWarning }) {
        const { onnxFiles } = await import('./onnx/export/save-onnx.ts');
        return onnxFiles(model, { dtype: dtype as OnnxDtype | undefined, onWarning });
      },
    },
  ],
  engines: {
    async wasm(session, trains) {
      return (await import('./onnx/engine-without-gpu.ts')).engineWithoutGpu('wasm', session, trains);
    },
    async auto(session, trains) {
      return (await import('./onnx/engine-without-gpu.ts')).engineWithoutGpu('auto', session, trains);
    },
  },
};

/** Files of Marian and Firefox, which differ in what they write. */
const marian: Partial<Features> = {
  formats: [
    {
      ...marianFacts,
      async read({ files, path }) {
        return (await import('./marian/files/load-marian.ts')).loadMarian(files, path);
      },
      async readOrigin(files, path, json, config) {
        return (await import('./marian/files/load-marian.ts')).readMarianOrigin(files, path, json, config);
      },
      async write(outgoing) {
        return (await import('./marian/files/save-marian.ts')).writeMarian(outgoing);
      },
    },
    {
      ...firefoxFacts,
      async write(outgoing) {
        return (await import('./marian/files/save-marian.ts')).writeMarian(outgoing);
      },
    },
  ],
  sources: [
    {
      hasName: isLanguagePair,
      async pull(request) {
        return (await import('./marian/firefox-release.ts')).pullRelease(request);
      },
    },
  ],
};

/** A model with its translator as one HTML file. */
const html: Partial<Features> = {
  formats: [
    {
      ...htmlFacts,
      async write({ model, dtype, options }) {
        const { htmlFile } = await import('./html/html-file.ts');
        const page = await htmlFile(model, { dtype: dtype as HtmlDtype | undefined, title: options.title });
        return { 'index.html': page };
      },
    },
  ],
};

/** Frames as a source. Whisper is a family of Hugging Face; its files are read and written as those of the others. */
const speech: Partial<Features> = {
  sourceKinds: { frames: async () => (await import('./speech/frame-source.ts')).frames },
  formats: [
    {
      ...whisperFacts,
      async read({ files, path, config, inParts, sourceKinds }) {
        const { loadWhisper } = await import('./speech/whisper-format.ts');
        return loadWhisper(files, path, config, sourceKinds, inParts);
      },
      async readConfig(config, path) {
        return (await import('./speech/whisper-format.ts')).readWhisperConfig(config, path);
      },
      async readOrigin(files, path, json, config) {
        return (await import('./speech/whisper-format.ts')).readWhisperOrigin(files, path, json, config);
      },
      async write({ model, dtype }) {
        return (await import('./speech/whisper-format.ts')).whisperFiles(model, dtype);
      },
    },
  ],
};

/** The part of frames in trainings and their metrics. */
const speechTraining: Partial<Features> = {
  settings: [speechSettings],
  metrics: speechMetrics,
  trainingSources: {
    frames: async () => (await import('./speech/train/training-frames.ts')).frameSource,
  },
  givenData: [
    {
      matches: (given) => Array.isArray(given) && isObject(given[0]) && 'audio' in given[0],
      load: async () => (await import('./speech/speech-clips.ts')).clipReader,
    },
  ],
  dataSteps: [
    {
      name: 'frame masks',
      isNeeded(settings) {
        const { maskTimeProb, maskFeatureProb } = maskOptions(settings);
        return maskTimeProb > 0 || maskFeatureProb > 0;
      },
      load: async () => (await import('./speech/train/mask-step.ts')).maskStep,
    },
  ],
};

/** What models of text need, without rows of trainings: a bundler leaves those out of a page that translates. */
export const modelFeatures: Features = /* @__PURE__ */ joinFeatures([
  documents,
  pytorch,
  onnx,
  marian,
  html,
  speech,
]);

/** All guests: a row for each. */
export const features: Features = /* @__PURE__ */ joinFeatures([
  documents,
  corpora,
  pytorch,
  onnx,
  marian,
  html,
  speech,
  speechTraining,
]);
