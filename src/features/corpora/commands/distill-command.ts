// heddle distill

import type { Command } from 'commander';
import { outFolder } from '../../../commands/out-folder.ts';
import { table } from '../../../commands/output.ts';
import { isModelIn } from '../../../commands/output-file.ts';
import {
  addPairFlags,
  checkStdin,
  type PairFlags,
  pairFilesOf,
  pairsHelp,
} from '../../../commands/pair-flags.ts';
import { addHostOptions, jsonOption, positive, whole } from '../../../commands/parse-values.ts';
import type { CommandJob } from '../../../commands/remote/command-job.ts';
import { type HostOptions, runAndPrint } from '../../../commands/run-command.ts';
import { addSettingFlags, givenSettings } from '../../../commands/train-flags.ts';
import { HeddleError, shellQuote } from '../../../core/errors.ts';
import { archiveFiles } from '../../../files/archive-files.ts';
import { withoutEndSlash } from '../../../files/files.ts';
import { isHeddleFolder } from '../../../formats/model-folder.ts';
import { nodeFiles } from '../../../host/node-files.ts';
import { pathsOf } from '../../../text/corpus/pair-files.ts';
import { checkStepFolders } from '../../../train/run/step-folders.ts';
import type { DistillArguments, Distilled } from '../distill.ts';

interface Options extends HostOptions, PairFlags {
  out: string;
  dev?: string;
  beams: number;
  teacherBatchSize: number;
  nbest: number;
  maxEntropy?: number;
  force?: boolean;
}

/** Jobs of the command. */
interface Jobs {
  readonly distill: CommandJob<DistillArguments, Distilled>;
}

/** Adds the command `distill`. */
export function addDistill(program: Command, jobs: Jobs): void {
  const command = program
    .command('distill')
    .description(
      'train a small model on the translations of a large one (sequence-level knowledge distillation)',
    )
    .argument('<teacher>', 'model: a folder, a .zip or a .safetensors file')
    .argument('[files...]', `texts, one per line, or pairs, whose targets are ignored: ${pairsHelp}`)
    .requiredOption('--out <dir>', 'model folder of the student; its training data is in <dir>.teacher')
    .option('--dev <pairs>', 'pairs for the evaluation of teacher and student')
    .option('--beams <n>', 'number of beams of the teacher', whole(1), 4)
    .option(
      '--nbest <n>',
      'hypotheses of the teacher, of which the one closest to the target of the pair (chrF) is taken; texts without a target: the best',
      whole(1),
      1,
    )
    .option('--max-entropy <nats>', 'leave out translations with a higher cross-entropy per token', positive)
    .option('--teacher-batch-size <texts>', 'texts per batch of the teacher', whole(1), 32)
    .option(
      '--force',
      "delete the student in --out and the teacher's translations, and start again (default: resume)",
    )
    .addOption(jsonOption());
  addPairFlags(command);
  addHostOptions(command);
  addSettingFlags(command);
  command.action(async (given: string, names: string[], options: Options) => {
    const texts = pairFilesOf(names, options);
    const dev = pairFilesOf(options.dev === undefined ? undefined : [options.dev], {});
    if (!texts) throw new HeddleError('give files of texts or pairs', { area: 'distill' });
    checkStdin([texts, dev]);
    const { force = false, beams, teacherBatchSize: batch, nbest, maxEntropy } = options;
    const files = archiveFiles(nodeFiles());
    const isStudent = isHeddleFolder(files, withoutEndSlash(options.out)).catch(() => false); // outFolder reports it
    const resume = !force && (await isStudent);
    const out = await outFolder(files, 'student', { out: options.out, force, resume });
    const teacher = withoutEndSlash(given);
    if (isModelIn(teacher, out))
      throw new HeddleError('this is the teacher; use another folder for the student', {
        area: `--out ${options.out}`,
      });
    const settings = givenSettings(command);
    if (settings.keepLast && !force) await checkStepFolders(files, out, resume);
    const args = { teacher, texts, dev, out, beams, batch, nbest, maxEntropy, settings, force };
    const paths = [
      teacher,
      out,
      `${out}.teacher`,
      ...[texts, dev].flatMap((set) => (set ? pathsOf(set) : [])),
    ];
    await runAndPrint(jobs.distill, args, options, (result) => describe(result, out), paths);
  });
}

/** The result as text. */
function describe({ texts, repeated, skipped, training, evaluations }: Distilled, out: string): string {
  const metrics = Object.entries(evaluations ?? {}).map(([name, { loss, bleu, chrf }]) => [
    name === 'int8' ? 'student, int8' : name,
    loss.toFixed(3),
    bleu.toFixed(2),
    chrf.toFixed(2),
  ]);
  return [
    ...(metrics.length > 0 ? [table([['', 'loss', 'BLEU', 'chrF2'], ...metrics]), ''] : []),
    `texts     ${texts - skipped} of ${texts} translated by the teacher${skipped > 0 ? '; the others are too long for it' : ''}${repeated > 0 ? `; lines that repeat another: ${repeated}` : ''}`,
    `training  ${training.steps} ${training.steps === 1 ? 'step' : 'steps'} in ${training.trainSeconds.toFixed(1)} s${training.stopped ? '; stopped, the same command continues' : ''}`,
    `model     ${out} (heddle translate ${shellQuote(out)} --weights int8 "...")`,
  ].join('\n');
}
