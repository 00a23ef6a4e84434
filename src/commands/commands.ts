// The table of all commands of heddle, with their jobs. Each is loaded only when it runs: a command starts fast, and a
// page or Deno loads a job without the command. To add a command, write its file and add its row here.

import type { Job } from '../session/job.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import { defineCommand, type LazyCommand } from './command.ts';
import { guestParts } from './guest-parts.ts';
import type { CommandJob } from './remote/command-job.ts';

/** Translates texts: `heddle translate` and `heddle backtranslate`. */
const translate = {
  name: 'translate',
  load: async () => (await import('./jobs/translate-job.ts')).translate,
};

/** The commands by name, in the order of `heddle --help`. */
export const commands = {
  train: defineCommand({
    group: 'Train',
    summary: 'train a model on pairs, or fine-tune one',
    load: async () => (await import('./train-command.ts')).addTrain,
    jobs: {
      train: {
        name: 'train',
        saves: 'run',
        load: async () => (await import('../api/train-in-session.ts')).trainRun,
      },
    },
  }),
  average: defineCommand({
    group: 'Train',
    summary: 'average the weights of checkpoints',
    load: async () => (await import('./average-command.ts')).addAverage,
    jobs: {
      average: {
        name: 'average',
        saves: 'folder',
        load: async () => (await import('./jobs/average-job.ts')).average,
      },
    },
  }),
  distill: defineCommand({
    group: 'Train',
    summary: 'train a small model on the translations of a large one',
    load: async () => (await import('../features/corpora/commands/distill-command.ts')).addDistill,
    jobs: {
      distill: {
        name: 'distill',
        saves: 'folder',
        load: async () => (await import('../features/corpora/distill.ts')).distill,
      },
    },
  }),
  language: defineCommand({
    group: 'Train',
    summary: 'train a translator for Firefox from pairs: the whole way',
    load: async () => (await import('../features/language/commands/language-command.ts')).addLanguage,
    jobs: {},
  }),
  translate: defineCommand({
    group: 'Translate',
    summary: 'translate texts, lines of files, or a document',
    load: async () => {
      const { addTranslate } = await import('./translate-command.ts');
      const files = await guestParts.translatedFiles?.();
      return (program, jobs) => addTranslate(program, jobs, files);
    },
    jobs: { translate },
  }),
  transcribe: defineCommand({
    group: 'Translate',
    summary: 'write down what is said in recordings',
    load: async () => (await import('../features/speech/commands/transcribe-command.ts')).addTranscribe,
    jobs: {
      transcribe: {
        name: 'transcribe',
        load: async () => (await import('../features/speech/commands/transcribe-job.ts')).transcribe,
      },
    },
  }),
  serve: defineCommand({
    group: 'Translate',
    summary: "serve translations over HTTP with LibreTranslate's API",
    load: async () => {
      const { addServe } = await import('./serve-command.ts');
      return (program) => addServe(program, guestParts.servedTexts);
    },
    jobs: {},
  }),
  eval: defineCommand({
    group: 'Measure',
    summary: 'evaluate a model on pairs: loss, BLEU, chrF, TER',
    load: async () => (await import('./eval-command.ts')).addEvaluate,
    jobs: {
      evaluate: {
        name: 'evaluate',
        load: async () => (await import('./jobs/evaluate-job.ts')).evaluateWith(guestParts.otherModels),
      },
      evaluateOutputs: {
        name: 'evaluateOutputs',
        load: async () => (await import('./jobs/evaluate-job.ts')).evaluateOutputs,
      },
    },
  }),
  score: defineCommand({
    group: 'Data',
    summary: 'score pairs with a model',
    load: async () => (await import('./score-command.ts')).addScore,
    jobs: {
      score: { name: 'score', load: async () => (await import('./jobs/evaluate-job.ts')).score },
    },
  }),
  runs: defineCommand({
    group: 'Measure',
    summary: 'compare training runs',
    load: async () => (await import('./runs-command.ts')).addRuns,
    jobs: {
      runs: { name: 'runs', load: async () => (await import('./jobs/runs-job.ts')).runs },
    },
  }),
  clean: defineCommand({
    group: 'Data',
    summary: 'drop bad pairs and duplicates, and keep those that a model scores best',
    load: async () => (await import('../features/corpora/commands/clean-command.ts')).addClean,
    jobs: {
      score: { name: 'score', load: async () => (await import('./jobs/evaluate-job.ts')).score },
    },
  }),
  tokenizer: defineCommand({
    group: 'Data',
    summary: 'train a SentencePiece model, or encode and decode lines with it',
    load: async () => (await import('./tokenizer-command.ts')).addTokenizer,
    jobs: {
      tokenizer: {
        name: 'tokenizer',
        load: async () => (await import('../api/tokenizer-training.ts')).trainTokenizerFiles,
      },
    },
  }),
  tokenize: defineCommand({
    mode: { of: 'tokenizer', flag: '--encode', own: '--decode' },
    load: async () => (await import('./tokenizer-command.ts')).addTokenize,
    jobs: {},
  }),
  align: defineCommand({
    group: 'Data',
    summary: 'align the words of pairs',
    load: async () => (await import('../features/corpora/commands/align-command.ts')).addAlign,
    jobs: {
      align: {
        name: 'align',
        load: async () => (await import('../features/corpora/align/align-files.ts')).alignFiles,
      },
    },
  }),
  backtranslate: defineCommand({
    group: 'Data',
    summary: 'translate texts of the target language into sources',
    load: async () =>
      (await import('../features/corpora/commands/backtranslate-command.ts')).addBacktranslate,
    jobs: { translate },
  }),
  convert: defineCommand({
    group: 'Models',
    summary: 'convert a model to another format, to a .zip file or back',
    load: async () => {
      const { addConvert } = await import('./convert-command.ts');
      const checkpoints = await guestParts.checkpointTarget?.();
      return (program, jobs) => addConvert(program, jobs, checkpoints);
    },
    jobs: {
      convert: {
        name: 'convert',
        saves: 'folder',
        load: async () => (await import('../api/convert-folder.ts')).convertFolder,
      },
    },
  }),
  pack: defineCommand({
    mode: { of: 'convert', flag: '--pack' },
    load: async () => (await import('./pack-command.ts')).addPack,
    jobs: {},
  }),
  unpack: defineCommand({
    mode: { of: 'convert', flag: '--unpack' },
    load: async () => (await import('./pack-command.ts')).addUnpack,
    jobs: {},
  }),
  pull: defineCommand({
    group: 'Models',
    summary: 'download a model',
    load: async () => (await import('./pull-command.ts')).addPull,
    jobs: {
      pull: { name: 'pull', saves: 'folder', load: async () => (await import('./jobs/pull-job.ts')).pull },
    },
  }),
  verify: defineCommand({
    group: 'Models',
    summary: 'compare results with PyTorch, Hugging Face or float64',
    load: async () => (await import('./verify-command.ts')).addVerify,
    jobs: {
      verify: { name: 'verify', load: async () => (await import('./golden-kinds.ts')).verify },
    },
  }),
  plan: defineCommand({
    group: 'Measure',
    summary: 'print the plan of a model, time its passes, or tune its kernels',
    load: async () => (await import('./plan-command.ts')).addPlan,
    jobs: {
      plan: { name: 'plan', load: async () => (await import('./jobs/plan-job.ts')).plan },
    },
  }),
  profile: defineCommand({
    mode: { of: 'plan', flag: '--time' },
    load: async () => (await import('./profile-command.ts')).addProfile,
    jobs: {
      profile: { name: 'profile', load: async () => (await import('./jobs/profile-job.ts')).profile },
    },
  }),
  tune: defineCommand({
    mode: { of: 'plan', flag: '--tune' },
    load: async () => (await import('./tune-command.ts')).addTune,
    jobs: {
      tune: { name: 'tune', load: async () => (await import('./jobs/tune-job.ts')).tune },
    },
  }),
  bench: defineCommand({
    group: 'Measure',
    summary: 'check and time kernels and training steps',
    load: async () => (await import('./bench-command.ts')).addBench,
    jobs: {
      bench: { name: 'bench', load: async () => (await import('./jobs/bench-job.ts')).bench },
    },
  }),
  conformance: defineCommand({
    mode: { of: 'verify', flag: '--webgpu' },
    load: async () => (await import('./conformance-command.ts')).addConformance,
    jobs: {
      conformance: {
        name: 'conformance',
        load: async () => (await import('../bench/conformance-check.ts')).checkConformance,
      },
    },
  }),
  info: defineCommand({
    group: 'Measure',
    summary: 'list the GPUs of this machine',
    load: async () => (await import('./info-command.ts')).addInfo,
    jobs: {
      info: { name: 'info', load: async () => (await import('./jobs/info-job.ts')).info },
    },
  }),
  completion: defineCommand({
    mode: { of: 'info', flag: '--completion' },
    load: async () => {
      const { addCompletion } = await import('./completion-command.ts');
      return (program) => addCompletion(program, table());
    },
    jobs: {},
  }),
};

/** The table, for the command that lists it. */
const table = (): Readonly<Record<string, LazyCommand>> => commands;

/** Name of a command. */
export type CommandName = keyof typeof commands;

/** Names of all commands. */
export const commandNames = Object.keys(commands) as CommandName[];

/** The jobs of all commands. */
const jobs: readonly CommandJob<never, unknown>[] = [
  ...Object.values(commands).flatMap((command) => Object.values(command.jobs)),
  ...(guestParts.jobs ?? []),
];

/** Loads a job by its name, in a page or in Deno. */
export function loadJob(name: string): Promise<Job<never, unknown, TrainingEvent>> {
  const job = jobs.find((known) => known.name === name);
  if (!job) throw new Error(`there is no job ${name}`);
  return job.load();
}
