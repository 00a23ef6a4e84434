// A model and the settings of its updates as two programs with the same losses: one of heddle, for Node and pages, and
// one of PyTorch.

import { check } from '../../../core/errors.ts';
import { jsonBytes, withoutUndefined } from '../../../files/json-files.ts';
import { heddleFiles } from '../../../formats/save-heddle.ts';
import { ordinaryFields, requireFields } from '../../../formats/shared/requirements.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import { modelConfig } from '../../../model/model-config.ts';
import { parameterList } from '../../../model/parameters.ts';
import { encodePairs, type RaggedRows } from '../../../text/batches/encoded-corpus.ts';
import type { Pair } from '../../../text/corpus/pairs.ts';
import { completeSettings } from '../../../train/settings/run-defaults.ts';
import { SettingTable, type TrainSettings } from '../../../train/settings/train-settings.ts';
import { optimizerOf, scheduleOf } from '../../../train/settings/training-recipe.ts';
import { optimizerConfig } from '../../../train/update/optimizer-config.ts';
import { scheduleConfig } from '../../../train/update/schedule.ts';
import { trainableParameters } from '../../../train/update/trainable-parameters.ts';
import checkpointScript from '../torch-run/checkpoint.py?raw';
import optimizerScript from '../torch-run/optimizer.py?raw';
import transformerScript from '../torch-run/transformer.py?raw';
import nodeEntry from './node-entry.js?raw';
import page from './page.html?raw';
import heddleProgram from './program.js?raw';
import torchProgram from './program.py?raw';
import readMe from './read-me.md?raw';
import server from './serve.js?raw';

/** Number of updates that the programs do. */
const updates = 10;

/** The settings of an update, which the programs have; batches and dropout are their own. */
const updateSettings = [
  'optimizer',
  'learningRate',
  'schedule',
  'warmupSteps',
  'scheduleSteps',
  'minLearningRate',
  'weightDecay',
  'betas',
  'eps',
  'momentum',
  'rho',
  'clipNorm',
  'labelSmoothing',
  'seed',
] as readonly (keyof TrainSettings)[];

/** What is taken away. */
export interface TakenAway {
  /** Name of the model, for the texts. */
  readonly name: string;
  readonly model: SavedModel;
  /** The batch; a pair that is too long for the model is left out. */
  readonly pairs: readonly Pair[];
  /** Settings of the training; those that are not given are those of a fine-tuning. */
  readonly settings: TrainSettings;
  /** The library as one file for pages, dist/heddle.bundle.js, which the programs contain. */
  readonly library: Uint8Array;
}

/**
 * The files of the programs by path. Throws a HeddleError if PyTorch's program does not support the model, if no pair
 * fits it, or if a setting is wrong.
 */
export function takeAwayFiles({
  name,
  model,
  pairs,
  settings,
  library,
}: TakenAway): Record<string, Uint8Array> {
  const { config, source, target } = model;
  requireFields('PyTorch', [...ordinaryFields(config), ['source', config.source, 'tokens']]);
  const corpus = encodePairs(pairs, source, target, {
    maxSource: config.maxLength,
    maxTarget: config.maxLength,
  });
  check(corpus.count > 0, 'No pair fits the model: all are empty or too long');
  const given = settingsOfUpdates(settings);
  const complete = completeSettings({ ...given, init: name, steps: updates }, 'fineTune', new SettingTable());
  const labelSmoothing = complete.labelSmoothing ?? config.labelSmoothing;
  const plain = modelConfig({ ...config, labelSmoothing, dropout: 0 });
  const optimizer = optimizerConfig(optimizerOf(complete));
  const plan = {
    model: plain,
    optimizer,
    schedule: scheduleConfig(scheduleOf(complete), { steps: updates, dModel: config.dModel }),
    updates,
    startId: corpus.targetSpecial.start,
    endId: corpus.targetSpecial.end,
    source: rowsOf(corpus.source),
    target: rowsOf(corpus.target),
    parameters: parametersOf(model, optimizer.decayAll),
  };
  const own = heddleFiles(model);
  const known = { ...settingsOfUpdates(complete), labelSmoothing, steps: updates };
  const words = { NAME: name, UPDATES: String(updates), SETTINGS: known, FILES: Object.keys(own) };
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const text = (template: string) => bytesOf(filled(template, words));
  const dependencies = { heddle: 'file:./heddle', webgpu: '^0.6.2' };
  const scripts = { start: 'node program.js', page: 'node serve.js' };
  return {
    'README.md': text(readMe),
    'program.js': text(heddleProgram),
    'index.html': text(page),
    'package.json': jsonBytes({ private: true, type: 'module', scripts, dependencies }),
    'pairs.json': jsonBytes(Array.from(corpus.pairIndex, (i) => pairs[i])),
    'program.py': text(torchProgram),
    'torch.json': jsonBytes(plan),
    'transformer.py': bytesOf(transformerScript),
    'optimizer.py': bytesOf(optimizerScript),
    'checkpoint.py': bytesOf(checkpointScript),
    'serve.js': bytesOf(server),
    ...packageOf(library),
    ...Object.fromEntries(Object.entries(own).map(([file, bytes]) => [`model/${file}`, bytes])),
  };
}

/** The package heddle as a folder: the library, and for Node the WebGPU of the package webgpu. */
const packageOf = (library: Uint8Array): Record<string, Uint8Array> => ({
  'heddle/package.json': jsonBytes({
    name: 'heddle',
    version: '1.0.0',
    license: 'MIT',
    type: 'module',
    exports: { node: './node.js', default: './heddle.bundle.js' },
  }),
  'heddle/node.js': new TextEncoder().encode(nodeEntry),
  'heddle/heddle.bundle.js': library,
});

/**
 * The settings of updates among those of a run. A rate that falls until the run's last step does so in the programs,
 * which do its first updates.
 */
function settingsOfUpdates(settings: TrainSettings): TrainSettings {
  const own = Object.fromEntries(updateSettings.map((name) => [name, settings[name]])) as TrainSettings;
  const falls = own.schedule === 'linear' || own.schedule === 'cosine';
  const scheduleSteps = falls ? (own.scheduleSteps ?? settings.steps) : undefined;
  return withoutUndefined<unknown>({ ...own, scheduleSteps }) as TrainSettings;
}

/** Where each parameter is in model.safetensors, and whether the weight decay applies to it. */
function parametersOf({ config, sourceKind }: SavedModel, decayAll: boolean) {
  const { all } = trainableParameters(config, parameterList(config, sourceKind));
  return all.all.map(({ name, shape, decay, stored }) => ({
    name,
    shape,
    decay: decay || decayAll,
    tensor: stored.name,
    row: stored.row,
  }));
}

/** Rows of ids as lists. */
const rowsOf = ({ ids, starts }: RaggedRows): number[][] =>
  Array.from({ length: starts.length - 1 }, (_, i) => [...ids.subarray(starts[i], starts[i + 1])]);

/** A template with its words in capitals replaced: texts as they are, other values as JSON. */
function filled(template: string, words: Readonly<Record<string, unknown>>): string {
  const value = (word: string) => {
    const found = words[word];
    return typeof found === 'string' ? found : JSON.stringify(found, null, 2);
  };
  return template.replace(/\b(?:NAME|UPDATES|SETTINGS|FILES)\b/g, value);
}
