// heddle transcribe

import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type Command, Option } from 'commander';
import { log, shownOnTerminal } from '../../../commands/output.ts';
import { checkOutputFiles } from '../../../commands/output-file.ts';
import {
  adapterOption,
  deviceOption,
  hostOption,
  loraOption,
  type ModelRunOptions,
  modelArguments,
  weightsExcludeOption,
  weightsOption,
  whole,
} from '../../../commands/parse-values.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runWithProgress } from '../../../commands/run-command.ts';
import { HeddleError } from '../../../core/errors.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import { formatTranscription, type SpeechFormat, speechFormats } from './subtitle-formats.ts';
import type { TranscribeArguments, TranscribedFile, TranscribedSegment } from './transcribe-job.ts';

interface Options extends HostOptions, Pick<ModelRunOptions, 'weights' | 'weightsExclude' | 'lora'> {
  model: string;
  to: SpeechFormat;
  language?: string;
  task?: 'transcribe' | 'translate';
  beams?: number;
  prompt?: string;
  temperature?: number[];
  timestamps?: boolean;
  conditionOnPrevious?: boolean;
  out?: string;
  force?: boolean;
}

const defaultModel = 'openai/whisper-tiny';

/** Jobs of the command. */
interface Jobs {
  readonly transcribe: CommandJob<TranscribeArguments, TranscribedFile[]>;
}

/** Adds the command `transcribe`. */
export function addTranscribe(program: Command, jobs: Jobs): void {
  program
    .command('transcribe')
    .description('write down what is said in recordings (WAV), with a Whisper model')
    .argument('<file...>', 'recordings; a folder before them is the model')
    .option('--model <dir>', 'model folder, or OWNER/NAME on the hub', defaultModel)
    .addOption(
      new Option('--to <format>', 'output: text, subtitles or JSON').choices(speechFormats).default('txt'),
    )
    .option(
      '--language <name>',
      'language of the speech: code or English name (default: that of the model, else detected)',
    )
    .addOption(
      new Option('--task <name>', 'transcribe, or translate to English (default: transcribe)').choices([
        'transcribe',
        'translate',
      ]),
    )
    .option('--beams <n>', 'number of beams (default: 1, greedy decoding)', whole(1))
    .option('--prompt <text>', 'text before the recording, for names and spelling')
    .option(
      '--temperature <list>',
      'temperatures to try one after the other while the text is poor (default: 0,0.2,0.4,0.6,0.8,1)',
      (list: string) => list.split(',').map(Number),
    )
    .option('--no-timestamps', 'no times within a window (default: with times)')
    .option('--no-condition-on-previous', 'do not use the text of a window as the prompt of the next one')
    .option('--out <dir>', 'write FILE.FORMAT for each recording to this folder (default: print)')
    .option('--force', 'overwrite files')
    .addOption(loraOption())
    .addOption(weightsOption())
    .addOption(weightsExcludeOption())
    .addOption(hostOption())
    .addOption(deviceOption())
    .addOption(adapterOption())
    .action((given: string[], options: Options) => run(jobs, given, options));
}

async function run(jobs: Jobs, given: string[], options: Options): Promise<void> {
  const { to, out, force } = options;
  const files = nodeFiles();
  const [first = '', ...rest] = given;
  const isModel = rest.length > 0 && (await files.exists(join(first, 'config.json')));
  const [folder, recordings] = isModel ? [first, rest] : [options.model, given];
  if (!recordings.some((file) => existsSync(file)))
    throw new HeddleError('there is no such file', { area: recordings[0], kind: 'not-found' }); // before a download
  const targets = new Map(
    recordings.map((file) => [
      file,
      out === undefined ? undefined : join(out, `${basename(file, extname(file))}.${to}`),
    ]),
  );
  checkOutputFiles(
    [...targets.values()].map((path) => ['--out', path] as const),
    { force, inputs: recordings },
  );
  const { model, folders } = modelArguments(folder, options);
  const { language, task, beams, prompt, temperature, timestamps, conditionOnPrevious } = options;
  const results = await runWithProgress(
    jobs.transcribe,
    {
      ...model,
      recordings,
      options: { language, task, beams, prompt, temperature, timestamps, conditionOnPrevious },
    },
    {
      ...options,
      onResult(value) {
        // Words as they come; a file of subtitles needs all of them.
        const { segment } = value as TranscribedSegment;
        if (to === 'txt' && recordings.length === 1 && out === undefined)
          process.stdout.write(shownOnTerminal(`${segment.text.trim()}\n`));
      },
    },
    [...folders, ...recordings],
  );
  await writeResults(results, targets, options);
}

async function writeResults(
  results: readonly TranscribedFile[],
  targets: ReadonlyMap<string, string | undefined>,
  { to, out }: Options,
): Promise<void> {
  const files = nodeFiles();
  const streamed = to === 'txt' && results.length === 1 && out === undefined;
  const failed = results.filter(({ transcription }) => !transcription);
  for (const { file, transcription } of results) {
    if (!transcription || streamed) continue;
    const written = formatTranscription(transcription, to);
    const path = targets.get(file);
    if (path !== undefined) {
      await files.write(path, new TextEncoder().encode(written));
      log(path);
    } else
      process.stdout.write(
        shownOnTerminal(results.length > 1 && to === 'txt' ? `${file}: ${written}` : written),
      );
  }
  if (failed.length > 0) throw new HeddleError(failed.map(({ error }) => error).join('\nheddle: '));
}
