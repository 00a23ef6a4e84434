// heddle distill: sequence-level knowledge distillation (Kim and Rush, 2016, https://arxiv.org/abs/1606.07947). A teacher
// translates the texts by beam search, and a smaller student trains on its translations.

import type { Evaluation } from '../api/evaluate-model.ts';
import { openFolder } from '../api/load-model.ts';
import { check, HeddleError } from '../core/errors.ts';
import { existingFolder, type Files, readText, writeText } from '../files/files.ts';
import { jsonBytes, readJson } from '../files/json-files.ts';
import { isHeddleFolder } from '../formats/model-folder.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import type { Job, JobContext } from '../runtime/job.ts';
import { readPairs } from '../runtime/load-corpus.ts';
import type { PairFiles } from '../text/corpus/pair-files.ts';
import { fingerprint, normalizeText, toSingleLine } from '../text/corpus/pairs.ts';
import { runTraining } from '../train/recovery.ts';
import type { TrainResult } from '../train/train-arguments.ts';
import type { TrainSettings } from '../train/train-settings.ts';

/** Arguments of the job; plain JSON. */
export interface DistillArguments {
  /** Folder of the teacher. */
  readonly teacher: string;
  /** Pairs, whose targets are ignored, or files with a text on each line. */
  readonly pairs?: PairFiles;
  readonly texts?: readonly string[];
  /** Pairs for the evaluation of teacher and student. */
  readonly dev?: PairFiles;
  /** Model folder of the student. The translations are stored next to it, in `OUT.teacher`. */
  readonly out: string;
  readonly beams: number;
  /** Number of texts in a batch of the teacher. */
  readonly batch: number;
  /** Settings of the training. */
  readonly settings: TrainSettings;
  /** Whether to replace a student in `out`. If not, its training resumes. */
  readonly force?: boolean;
}

/** Result; plain JSON. */
export interface Distilled {
  readonly texts: number;
  /** Texts that are too long for the teacher. */
  readonly skipped: number;
  readonly training: TrainResult;
  /** Evaluations on the dev pairs: the teacher, the student, and the student with int8 weights. */
  readonly evaluations?: Readonly<Record<'teacher' | 'student' | 'int8', Evaluation>>;
}

/** Texts per file of translations; only the current file is lost if the process ends. */
const partSize = 512;

/** Trains a student. An interrupted run resumes. Throws a HeddleError if `out` has translations of other texts. */
export const distill: Job<DistillArguments, Distilled> = async (args, context) => {
  const { teacher, dev, out, settings, force } = args;
  const { files } = context;
  const folder = `${out}.teacher`;
  if (force) for (const path of [out, folder]) await files.remove(path);
  const texts = await readTexts(args, context);
  const { parts, skipped } = await translateAll(args, texts, folder, context);
  const corpus = { kind: 'files', train: { files: parts, format: 'tsv' }, ...(dev && { dev }) } as const;
  const resume = await isHeddleFolder(files, await existingFolder(files, out));
  const training = await runTraining({ ...settings, corpus, out, resume }, context);
  const result = { texts: texts.length, skipped, training };
  if (!dev || context.signal.aborted) return result;
  const pairs = await readPairs(dev, context);
  const score = async (name: string, weights: WeightFormat = 'f32'): Promise<Evaluation> => {
    const model = await openFolder(name, context, { weights });
    try {
      return await model.evaluate(pairs, { batchSize: args.batch, name: 'dev', signal: context.signal });
    } finally {
      model.dispose();
    }
  };
  const evaluations = { teacher: await score(teacher), student: await score(out), int8: await score(out, 'int8') };
  return { ...result, evaluations };
};

/** The distinct texts in the order of the files. */
async function readTexts({ pairs, texts = [] }: DistillArguments, context: JobContext): Promise<string[]> {
  const found = new Set<string>();
  if (pairs) for (const { source } of await readPairs(pairs, context)) found.add(source);
  for (const path of texts)
    for (const line of (await readText(context.files, path)).split('\n')) {
      const text = normalizeText(line);
      if (text) found.add(text);
    }
  check(found.size > 0, 'distill: the files have no texts');
  return [...found];
}

/** Translates the texts that have no translation yet. Returns the files of pairs: texts and translations. */
async function translateAll(
  { teacher, beams, batch }: DistillArguments,
  texts: readonly string[],
  folder: string,
  context: JobContext,
): Promise<{ parts: string[]; skipped: number }> {
  const { files, emit, signal } = context;
  const model = await openFolder(teacher, context);
  try {
    const { hash } = fingerprint(texts.map((text) => ({ source: text, target: '' })));
    await checkStart(files, folder, { teacher, beams, texts: `${texts.length} with the hash ${hash}` });
    const limit = model.config.maxLength - 1;
    const fits = texts.map((text) => model.tokenizers.source.encode(text).length <= limit);
    const parts: string[] = [];
    for (let at = 0; at < texts.length; at += partSize) {
      const part = texts.slice(at, at + partSize).filter((_, i) => fits[at + i]);
      const path = `${folder}/${String(parts.length).padStart(6, '0')}.tsv`;
      const onProgress = (done: number) =>
        emit({ type: 'progress', task: 'teacher', done: at + done, of: texts.length, text: 'texts translated' });
      onProgress(0);
      if (part.length === 0) continue;
      if (!(await files.exists(path))) {
        const translations = await model.translate(part, { beams, batchSize: batch, signal, onProgress });
        const lines = part.map((text, i) => `${toSingleLine(text)}\t${toSingleLine(translations[i] ?? '')}\n`);
        await writeText(files, path, lines.join(''));
      }
      parts.push(path);
    }
    return { parts, skipped: fits.filter((ok) => !ok).length };
  } finally {
    model.dispose();
  }
}

/** Stores the facts that the translations depend on. Throws a HeddleError if the folder has other ones. */
async function checkStart(files: Files, folder: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
  const path = `${folder}/distill.json`;
  if (!(await files.exists(path))) return files.write(path, jsonBytes(facts));
  const before = await readJson(files, path);
  for (const [name, value] of Object.entries(facts))
    if (before[name] !== value)
      throw new HeddleError(
        `${folder}: its translations were made with other ${name} (${before[name]}, now ${value}); ` +
          'use --force to start again, or another --out',
      );
}
