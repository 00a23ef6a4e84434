// What `heddle COMMAND --help` shows first of the commands with many flags, and their topics.

import { kindWords } from '../train/settings/run-defaults.ts';
import type { CommandHelp } from './help.ts';
import { describeKindDefaults, kindDefaults, modelSizes } from './train-flags.ts';

/** Topics of the settings of a training. */
const trainingTopics: CommandHelp['topics'] = {
  data: ['Corpus', 'Pairs', 'Data'],
  model: ['Model', 'Fine-tuning'],
  optimizer: ['Optimizer', 'Training'],
  run: ['Options', 'Evaluation', 'Checkpoints', 'Device', 'Output'],
};

const settingsText: CommandHelp['text'] = (topic, kind) => {
  if (topic === 'model') return modelSizes();
  if (topic === 'all') return `${modelSizes()}\n\n${kindDefaults()}`;
  return topic === undefined
    ? `The defaults are those for: ${kindWords[kind]}. docs/settings.md describes every setting.`
    : '';
};

/** Flags of the search, which a first translation needs rarely. */
const decoding: CommandHelp['topics'] = { decoding: ['Decoding'] };
const device: CommandHelp['topics'] = { device: ['Device'] };

/** Columns and formats of files of pairs. */
const pairs: CommandHelp['topics'] = { pairs: ['Pairs'] };

/** The helps of commands by name. */
export const helpTexts: Readonly<Record<string, CommandHelp>> = {
  train: {
    first: {
      Pairs: [
        '--dev',
        '--source',
        '--target',
        '--corpus',
        '--vocab-size',
        '--tokenizer-file',
        '--max-length',
      ],
      Model: ['--preset', '--dropout', '--init', '--lora-rank'],
      Updates: [
        '--steps',
        '--epochs',
        '--batch-size',
        '--max-tokens',
        '--learning-rate',
        '--precision',
        '--seed',
      ],
      Run: [
        '--out',
        '--resume',
        '--force',
        '--config',
        '--eval-steps',
        '--patience',
        '--host',
        '--memory-budget',
      ],
    },
    topics: trainingTopics,
    text: settingsText,
    describeDefaults: describeKindDefaults,
  },
  distill: {
    first: {
      Teacher: ['--beams', '--nbest', '--max-entropy', '--teacher-batch-size'],
      Student: [
        '--preset',
        '--tokenizer-file',
        '--max-length',
        '--epochs',
        '--max-tokens',
        '--learning-rate',
      ],
      Run: ['--out', '--dev', '--force', '--eval-steps', '--host', '--memory-budget'],
    },
    topics: trainingTopics,
    text: settingsText,
    describeDefaults: (command) => describeKindDefaults(command, 'pairs'),
  },
  translate: {
    first: {
      Texts: ['--input', '--out', '--split-sentences', '--stream', '--json', '--force'],
      Model: ['--source-lang', '--target-lang', '--lora', '--weights'],
      Quality: ['--beams', '--num-return', '--alignments', '--batch-size'],
      Documents: ['--segments', '--glossary', '--memory', '--report'],
      Device: ['--host'],
    },
    topics: { ...decoding, documents: ['Documents (PO, XLIFF, HTML, SRT, VTT, .txt)'], ...device },
  },
  eval: {
    first: {
      Systems: ['--compare', '--outputs', '--references', '--bootstrap'],
      Pairs: ['--source', '--target', '--format'],
      Results: ['--report', '--out', '--json', '--force'],
      Model: ['--beams', '--batch-size', '--source-lang', '--target-lang', '--lora', '--host'],
    },
    topics: { ...decoding, ...device },
  },
  score: {
    first: {
      Pairs: ['--source', '--target', '--format', '--batch-size'],
      Results: ['--out', '--backward', '--tokens', '--json', '--force'],
      Model: ['--source-lang', '--target-lang', '--lora', '--host'],
    },
    topics: device,
  },
  backtranslate: {
    first: {
      Texts: ['--out', '--tag', '--batch-size', '--force'],
      Model: ['--method', '--temperature', '--beams', '--source-lang', '--target-lang', '--host'],
    },
    topics: { ...decoding, ...device },
  },
  clean: {
    first: {
      Results: ['--out', '--rejected', '--report', '--json', '--force'],
      Rules: ['--rule', '--source-lang', '--target-lang', '--threads'],
      Pairs: ['--source', '--target', '--format'],
      'Filter by the scores of a model': ['--model', '--backward', '--keep', '--max-entropy', '--batch-size'],
    },
    topics: { ...pairs, ...device },
  },
  align: {
    first: {
      Results: ['--out', '--lexical-table', '--compare', '--json', '--force'],
      Alignment: ['--model', '--pieces'],
      Pairs: ['--source', '--target', '--format'],
    },
    topics: { ...pairs, ...device },
  },
  tokenizer: {
    first: {
      Results: ['--out', '--json', '--force'],
      Pieces: [
        '--kind',
        '--vocab-size',
        '--lowercase',
        '--byte-fallback',
        '--split-digits',
        '--user-symbols',
      ],
      Texts: ['--side', '--source', '--target', '--format', '--threads'],
    },
    topics: pairs,
  },
  serve: {
    first: {
      Server: ['--port', '--address', '--cors', '--grace'],
      Access: ['--api-keys', '--rate-limit', '--char-limit', '--text-limit', '--max-body', '--queue'],
      Models: ['--beams', '--lora', '--weights', '--batch-size', '--host'],
    },
    topics: { ...decoding, ...device },
  },
};
