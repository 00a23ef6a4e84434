// The table of all commands of heddle, with their jobs. Each is loaded only when it runs: a command starts fast, and a
// page or Deno loads a job without the command. To add a command, write its file and add its row here.

import type { Job } from '../session/job.ts';
import type { TrainingEvent } from '../train/report/training-events.ts';
import { defineCommand } from './command.ts';
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
    load: async () => (await import('../features/marian/commands/language-command.ts')).addLanguage,
    jobs: {},
  }),
  translate: defineCommand({
    group: 'Translate',
    load: async () => (await import('./translate-command.ts')).addTranslate,
    jobs: {
      translate,
      translateDocument: {
        name: 'translateDocument',
        load: async () => (await import('../features/documents/commands/document-job.ts')).translateFile,
      },
    },
  }),
  transcribe: defineCommand({
    group: 'Translate',
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
    load: async () => (await import('./serve-command.ts')).addServe,
    jobs: {},
  }),
  eval: defineCommand({
    group: 'Evaluate',
    load: async () => (await import('./eval-command.ts')).addEvaluate,
    jobs: {
      evaluate: { name: 'evaluate', load: async () => (await import('./jobs/evaluate-job.ts')).evaluate },

      evaluateOutputs: {
        name: 'evaluateOutputs',
        load: async () => (await import('./jobs/evaluate-job.ts')).evaluateOutputs,
      },
    },
  }),
  score: defineCommand({
    group: 'Evaluate',
    load: async () => (await import('./score-command.ts')).addScore,
    jobs: {
      score: { name: 'score', load: async () => (await import('./jobs/evaluate-job.ts')).score },
    },
  }),
  runs: defineCommand({
    group: 'Evaluate',
    load: async () => (await import('./runs-command.ts')).addRuns,
    jobs: {
      runs: { name: 'runs', load: async () => (await import('./jobs/runs-job.ts')).runs },
    },
  }),
  clean: defineCommand({
    group: 'Data',
    load: async () => (await import('../features/corpora/commands/clean-command.ts')).addClean,
    jobs: {},
  }),
  tokenizer: defineCommand({
    group: 'Data',
    load: async () => (await import('./tokenizer-command.ts')).addTokenizer,
    jobs: {
      tokenizer: {
        name: 'tokenizer',
        load: async () => (await import('../api/tokenizer-training.ts')).trainTokenizerFiles,
      },
    },
  }),
  tokenize: defineCommand({
    group: 'Data',
    load: async () => (await import('./tokenizer-command.ts')).addTokenize,
    jobs: {},
  }),
  align: defineCommand({
    group: 'Data',
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
    load: async () =>
      (await import('../features/corpora/commands/backtranslate-command.ts')).addBacktranslate,
    jobs: { translate },
  }),
  convert: defineCommand({
    group: 'Models',
    load: async () => (await import('./convert-command.ts')).addConvert,
    jobs: {
      convert: {
        name: 'convert',
        saves: 'folder',
        load: async () => (await import('../api/convert-folder.ts')).convertFolder,
      },
      convertRun: {
        name: 'convertRun',
        saves: 'folder',
        load: async () => (await import('../features/pytorch/commands/convert-run.ts')).convertRun,
      },
    },
  }),
  pack: defineCommand({
    group: 'Models',
    load: async () => (await import('./pack-command.ts')).addPack,
    jobs: {},
  }),
  unpack: defineCommand({
    group: 'Models',
    load: async () => (await import('./pack-command.ts')).addUnpack,
    jobs: {},
  }),
  pull: defineCommand({
    group: 'Models',
    load: async () => (await import('./pull-command.ts')).addPull,
    jobs: {
      pull: { name: 'pull', saves: 'folder', load: async () => (await import('./jobs/pull-job.ts')).pull },
    },
  }),
  verify: defineCommand({
    group: 'Device',
    load: async () => (await import('./verify-command.ts')).addVerify,
    jobs: {
      verify: { name: 'verify', load: async () => (await import('./golden-kinds.ts')).verify },
    },
  }),
  plan: defineCommand({
    group: 'Device',
    load: async () => (await import('./plan-command.ts')).addPlan,
    jobs: {
      plan: { name: 'plan', load: async () => (await import('./jobs/plan-job.ts')).plan },
    },
  }),
  profile: defineCommand({
    group: 'Device',
    load: async () => (await import('./profile-command.ts')).addProfile,
    jobs: {
      profile: { name: 'profile', load: async () => (await import('./jobs/profile-job.ts')).profile },
    },
  }),
  tune: defineCommand({
    group: 'Device',
    load: async () => (await import('./tune-command.ts')).addTune,
    jobs: {
      tune: { name: 'tune', load: async () => (await import('./jobs/tune-job.ts')).tune },
    },
  }),
  bench: defineCommand({
    group: 'Device',
    load: async () => (await import('./bench-command.ts')).addBench,
    jobs: {
      bench: { name: 'bench', load: async () => (await import('./jobs/bench-job.ts')).bench },
    },
  }),
  conformance: defineCommand({
    group: 'Device',
    load: async () => (await import('./conformance-command.ts')).addConformance,
    jobs: {
      conformance: {
        name: 'conformance',
        load: async () => (await import('../bench/conformance-check.ts')).checkConformance,
      },
    },
  }),
  info: defineCommand({
    group: 'Device',
    load: async () => (await import('./info-command.ts')).addInfo,
    jobs: {
      info: { name: 'info', load: async () => (await import('./jobs/info-job.ts')).info },
    },
  }),
};

/** Name of a command. */
export type CommandName = keyof typeof commands;

/** Names of all commands. */
export const commandNames = Object.keys(commands) as CommandName[];

/** The jobs of all commands. */
const jobs: readonly CommandJob<never, unknown>[] = Object.values(commands).flatMap((command) =>
  Object.values(command.jobs),
);

/** Loads a job by its name, in a page or in Deno. */
export function loadJob(name: string): Promise<Job<never, unknown, TrainingEvent>> {
  const job = jobs.find((known) => known.name === name);
  if (!job) throw new Error(`there is no job ${name}`);
  return job.load();
}
