// The job of `heddle distill`: sequence-level knowledge distillation (Kim and Rush, 2016,
// https://arxiv.org/abs/1606.07947). A teacher translates the texts by beam search, and a smaller student
// trains on its translations.

import type { Evaluation } from '../../api/evaluate-model.ts';
import { openFolder } from '../../api/load-model.ts';
import type { Model } from '../../api/model.ts';
import { trainRun } from '../../api/train-in-session.ts';
import { check, HeddleError } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import type { Generation, LanguageOptions } from '../../decode/text-options.ts';
import { type Files, openStream } from '../../files/files.ts';
import { jsonBytes, readJson } from '../../files/json-files.ts';
import { readManifest, removeOwnFolder, writeFolder } from '../../files/owned-folder.ts';
import { isHeddleFolder } from '../../formats/model-folder.ts';
import { modelConfig } from '../../model/model-config.ts';
import type { WeightFormat } from '../../model/quantized-parameters.ts';
import type { Job } from '../../session/job.ts';
import type { Session } from '../../session/session.ts';
import type { Reported, SessionEvent } from '../../session/session-event.ts';
import { pairBlocks } from '../../text/corpus/pair-blocks.ts';
import { nameOfPairs, type PairFiles } from '../../text/corpus/pair-files.ts';
import { parseBlock, sourcesOf } from '../../text/corpus/pair-records.ts';
import { fingerprint, toColumn } from '../../text/corpus/pairs.ts';
import { sentenceChrf } from '../../text/metrics/chrf.ts';
import { readPairs } from '../../train/data/read-pair-files.ts';
import type { TrainingEvent } from '../../train/report/training-events.ts';
import { checkDiskSpace } from '../../train/run/disk-space.ts';
import { prepareRun } from '../../train/run/prepared-run.ts';
import { openBase } from '../../train/run/start-model.ts';
import type { TrainResult } from '../../train/run/train-result.ts';
import { initFolder } from '../../train/settings/run-defaults.ts';
import { completeArguments } from '../../train/settings/train-arguments.ts';
import type { TrainSettings } from '../../train/settings/train-settings.ts';
import { SettingTable } from '../../train/settings/train-settings.ts';
import { Recipe } from '../../train/settings/training-recipe.ts';

/** Arguments of the job; plain JSON. */
export interface DistillArguments {
  /** Folder of the teacher. */
  readonly teacher: string;
  /** Texts, one per line, or pairs, whose targets are ignored. */
  readonly texts: PairFiles;
  /** Pairs for the evaluation of teacher and student. */
  readonly dev?: PairFiles;
  /** Model folder of the student. The translations are stored next to it, in `OUT.teacher`. */
  readonly out: string;
  readonly beams: number;
  /** Number of hypotheses of which the one closest to the reference (chrF) is taken. [1] */
  readonly nbest?: number;
  /** Maximum cross-entropy per token of a translation, in nats; others are left out. [no limit] */
  readonly maxEntropy?: number;
  /** Number of texts in a batch of the teacher. */
  readonly batch: number;
  /** Settings of the training. */
  readonly settings: TrainSettings;
  /** Whether to replace a student in `out`. If not, its training resumes. */
  readonly force?: boolean;
}

/** Result; plain JSON. */
export interface Distilled {
  /** Number of different texts, and of lines that repeat one of them. */
  readonly texts: number;
  readonly repeated: number;
  /** Texts that are too long for the teacher. */
  readonly skipped: number;
  readonly training: TrainResult;
  /** Evaluations on the dev pairs: the teacher, the student, and the student with int8 weights. */
  readonly evaluations?: Readonly<Record<'teacher' | 'student' | 'int8', Evaluation>>;
}

/** Texts per file of translations; only the current file is lost if the process ends. */
const partSize = 512;

/** File of the facts that the translations depend on. */
const factsName = 'distill.json';

/** Adds a file to the folder of translations. */
const addFile = { beside: true, update: true } as const;

/**
 * Trains a student. An interrupted run resumes. Throws a HeddleError before the teacher translates if a
 * setting, a file or `out` is wrong, or if `out` has translations of other texts.
 */
export const distill: Job<DistillArguments, Distilled, TrainingEvent> = async (args, session) => {
  const { teacher, texts: given, dev, out, settings, force } = args;
  const { files, signal } = session;
  const folder = `${out}.teacher`;
  // The languages are those of the teacher, and of a multilingual student.
  const { sourceLang, targetLang, ...others } = settings;
  const languages = { sourceLang: sourceLang || undefined, targetLang: targetLang || undefined };
  const training = initFolder(settings) === undefined ? others : settings;
  await checkStudent(training, session);
  const pairs = dev && (await readPairs(dev, session));
  const { texts, repeated } = await readTexts(given, session).finally(() => signal.throwIfAborted());
  const open = (name: string, weights: WeightFormat = 'f32') =>
    openFolder(name, session, name === teacher ? { weights, ...languages } : { weights });
  const replaced = force ? [out, folder] : [];
  if (force || !(await isHeddleFolder(files, out)))
    await checkStudentRoom(training, out, texts, replaced, session);
  const model = await open(teacher);
  for (const path of replaced) await removeOwnFolder(files, path);
  const resume = await isHeddleFolder(files, out);
  check(
    !resume || (await files.exists(`${folder}/${factsName}`)),
    msg`distill did not train this model: there is no ${folder}; use ${option('force', true)} to replace it, or another ${option('out')}`,
    { area: out },
  );
  const unlock = await files.lock?.(folder);
  try {
    const { parts, skipped } = await translateAll(args, model, languages, texts, folder, session);
    const corpus = { kind: 'files', train: { files: parts, format: 'tsv' }, dev } as const;
    const result = {
      texts: texts.length,
      repeated,
      skipped,
      training: await trainRun({ ...training, corpus, out, resume }, session),
    };
    if (!pairs || signal.aborted) return result;
    const score = async (candidate: Model, label: string): Promise<Evaluation> => {
      session.emit({ type: 'message', text: msg`evaluating the ${label} on ${pairs.length} dev pairs` });
      try {
        return await candidate.evaluate(pairs, { batchSize: args.batch, name: 'dev', signal });
      } finally {
        candidate.dispose();
      }
    };
    const evaluations = {
      teacher: await score(await open(teacher), 'teacher'),
      student: await score(await open(out), 'student'),
      int8: await score(await open(out, 'int8'), 'student with int8 weights'),
    };
    return { ...result, evaluations };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new HeddleError('interrupted; the same command continues', { area: 'distill', cause: error });
  } finally {
    await unlock?.();
  }
};

/**
 * Warns if the disk has little room for the checkpoints of a student and the translations of `texts`, before the
 * teacher translates for hours. Throws a HeddleError if not even the model fits. The targets are not known yet: the
 * sources stand for them. `replaced`: folders that are removed before.
 */
export async function checkStudentRoom(
  settings: TrainSettings,
  out: string,
  texts: readonly string[],
  replaced: readonly string[],
  session: Session,
): Promise<void> {
  const { files, emit } = session;
  let free = await files.free?.(out);
  if (free === undefined) return;
  for (const folder of replaced)
    if (await files.exists(folder))
      for (const { size } of Object.values((await readManifest(files, folder))?.files ?? {})) free += size;
  const quiet = {
    ...{ files, signal: session.signal, threads: session.threads, features: session.features },
    emit: (event: Reported<SessionEvent>) => event.type === 'progress' && emit(event),
  };
  const corpus = { kind: 'files', train: { files: [], format: 'tsv' } } as const;
  const train = texts.map((text) => ({ source: text, target: text }));
  const args = { ...settings, corpus, out };
  const prepared = await prepareRun(args, quiet, undefined, {
    model: await openBase(args, quiet),
    split: { train, dev: [], test: [] },
  });
  const trainable = { all: prepared.parameters, parameters: prepared.parameters };
  // The translations are about as long as the texts.
  const room = free - texts.reduce((sum, { length }) => sum + 2 * length, 0);
  const disk = { ...files, free: async () => Math.max(0, room) };
  await checkDiskSpace(prepared, { trainable }, { files: disk, emit });
}

/** Checks the settings of the student, as its training does later. */
async function checkStudent(settings: TrainSettings, { features }: Session): Promise<void> {
  const corpus = { kind: 'files', train: { files: [], format: 'tsv' } } as const;
  const args = completeArguments({ ...settings, corpus, out: '' }, new SettingTable(features.settings));
  const recipe = await Recipe.of(args, undefined, features);
  if (initFolder(settings) === undefined) modelConfig({ ...recipe.data.model, srcVocab: 8, tgtVocab: 8 });
}

/** How the files of pairs are opened. */
const openingOf = ({ files, features }: Session) => ({
  open: (path: string) => openStream(files, path),
  readers: features.pairReaders,
});

/** The distinct texts in the order of the files, and the number of those that were repeated. */
async function readTexts(
  given: PairFiles,
  session: Session,
): Promise<{ readonly texts: readonly string[]; readonly repeated: number }> {
  const texts = new Set<string>();
  let [all, nulTexts] = [0, 0];
  for await (const block of pairBlocks(given, openingOf(session)))
    for (const source of await sourcesOf(block)) {
      if (!source) continue;
      if (source.includes('\0')) nulTexts++;
      texts.add(source);
      all++;
    }
  check(texts.size > 0, () => 'there are no texts', { area: nameOfPairs(given) });
  if (nulTexts > 0) session.emit({ type: 'warning', text: msg`NUL bytes in ${nulTexts} of ${all} texts` });
  return { texts: [...texts], repeated: all - texts.size };
}

/** The targets of each source; none for texts without a pair. */
async function readReferences(given: PairFiles, session: Session): Promise<Map<string, string[]>> {
  const references = new Map<string, string[]>();
  for await (const block of pairBlocks(given, openingOf(session)))
    for (const { source, target } of (await parseBlock(block)).pairs)
      references.set(source, [...(references.get(source) ?? []), target]);
  return references;
}

/**
 * The hypothesis with the highest chrF against the references, or the best one without references; undefined if its
 * cross-entropy per token is above `maxEntropy`.
 */
export function chooseHypothesis(
  hypotheses: readonly Pick<Generation, 'text' | 'logProb' | 'ids'>[],
  references: readonly string[] = [],
  maxEntropy = Number.POSITIVE_INFINITY,
): string | undefined {
  const scoreOf = (text: string) => (references.length > 0 ? sentenceChrf(text, references).score : 0);
  const [first, ...others] = hypotheses.map((hypothesis) => ({ hypothesis, chrf: scoreOf(hypothesis.text) }));
  if (!first) return '';
  const { hypothesis } = others.reduce((a, b) => (b.chrf > a.chrf ? b : a), first);
  // The end token has a probability too.
  return -hypothesis.logProb / (hypothesis.ids.length + 1) > maxEntropy ? undefined : hypothesis.text;
}

/** Translates the texts that have no translation yet. Returns the files of pairs: texts and translations. */
async function translateAll(
  { teacher, texts: given, beams, batch, nbest = 1, maxEntropy }: DistillArguments,
  model: Model,
  languages: LanguageOptions,
  texts: readonly string[],
  folder: string,
  session: Session,
): Promise<{ parts: string[]; skipped: number }> {
  const { files, emit, signal } = session;
  try {
    const { hash } = fingerprint(texts.map((text) => ({ source: text, target: '' })));
    await checkStart(files, folder, {
      teacher,
      ...languages,
      beams,
      nbest: nbest > 1 ? nbest : undefined,
      maxEntropy,
      texts: `${texts.length} with the hash ${hash}`,
    });
    const references = nbest > 1 ? await readReferences(given, session) : new Map<string, string[]>();
    const limit = model.config.maxLength - 1;
    const fits = texts.map((text) => model.tokenizers.source.encode(text).length <= limit);
    const parts: string[] = [];
    const begin = performance.now();
    let translated = 0;
    for (let at = 0; at < texts.length; at += partSize) {
      signal.throwIfAborted();
      const part = texts.slice(at, at + partSize).filter((_, i) => fits[at + i]);
      const name = `${String(parts.length).padStart(6, '0')}.tsv`;
      const path = `${folder}/${name}`;
      const onProgress = (done: number) => {
        const rate = (translated + done) / ((performance.now() - begin) / 1000);
        const left =
          rate > 0
            ? `  ${rate.toFixed(1)} texts/s  ${Math.ceil((texts.length - at - done) / rate)} s left`
            : '';
        emit({
          type: 'progress',
          task: 'teacher',
          done: at + done,
          total: texts.length,
          text: msg`texts translated${left}`,
        });
      };
      onProgress(0);
      if (part.length === 0) continue;
      if (!(await files.exists(path))) {
        const options = {
          beams: Math.max(beams, nbest),
          numReturn: nbest,
          batchSize: batch,
          signal,
          onProgress,
        };
        const generations = await model.generate(part, options);
        const lines = part.flatMap((text, i) => {
          const chosen = chooseHypothesis(generations[i] ?? [], references.get(text), maxEntropy);
          return chosen === undefined ? [] : [`${toColumn(text)}\t${toColumn(chosen)}\n`];
        });
        if (lines.length === 0) continue;
        await writeFolder(files, folder, { [name]: new TextEncoder().encode(lines.join('')) }, addFile);
        translated += part.length;
      }
      parts.push(path);
    }
    check(parts.length > 0, msg`all ${texts.length} texts are longer than its maximum of ${limit} tokens`, {
      area: teacher,
    });
    return { parts, skipped: fits.filter((ok) => !ok).length };
  } finally {
    model.dispose();
  }
}

/** Stores the facts that the translations depend on. Throws a HeddleError if the folder has other ones. */
async function checkStart(
  files: Files,
  folder: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  const path = `${folder}/${factsName}`;
  if (!(await files.exists(path)))
    return writeFolder(files, folder, { [factsName]: jsonBytes(facts) }, addFile);
  const before = await readJson(files, path);
  for (const name of Object.keys({ ...before, ...facts }))
    if (before[name] !== facts[name])
      throw new HeddleError(
        msg`its translations were made with other ${name} (${String(before[name])}, now ${String(facts[name])}); use ${option('force', true)} to start again, or another ${option('out')}`,
        { area: folder },
      );
}
