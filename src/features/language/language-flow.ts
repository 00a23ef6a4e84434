// All steps from pairs to the files of Firefox in one process, for a page: the steps of `heddle language` in one
// session. Finished steps are not repeated; a training resumes from its checkpoint.

import { convertFolder } from '../../api/convert-folder.ts';
import { openFolder } from '../../api/load-model.ts';
import { trainTokenizerFiles } from '../../api/tokenizer-training.ts';
import { trainRun } from '../../api/train-in-session.ts';
import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { type Files, openStream, writeText } from '../../files/files.ts';
import { isObject, jsonBytes, readJson } from '../../files/json-files.ts';
import { removeOwnFolder } from '../../files/owned-folder.ts';
import { isHeddleFolder } from '../../formats/model-folder.ts';
import { currentHost } from '../../session/host.ts';
import { type JobSessionOptions, Session } from '../../session/session.ts';
import { pairBlocks } from '../../text/corpus/pair-blocks.ts';
import { nameOfPairs } from '../../text/corpus/pair-files.ts';
import { readPairs } from '../../train/data/read-pair-files.ts';
import type { TrainingEvent } from '../../train/report/training-events.ts';
import type { TrainSettings } from '../../train/settings/train-settings.ts';
import { alignFiles } from '../corpora/align/align-files.ts';
import { cleanBlock, rulesOf } from '../corpora/clean/clean-block.ts';
import { defaultLimits } from '../corpora/clean/clean-rules.ts';
import { DuplicateFilter } from '../corpora/clean/duplicate-filter.ts';
import { distill } from '../corpora/distill.ts';
import {
  firefoxFileSizes,
  firefoxLimit,
  languagePaths,
  translationFiles,
  writeCalibration,
} from './language-files.ts';

/** What the flow makes; plain JSON. */
export interface LanguagePlan {
  /** Codes of source and target, for example en and es. */
  readonly languages: readonly [source: string, target: string];
  /** Number of pieces of the vocabulary. */
  readonly vocabSize: number;
  /** Settings of the three trainings, each with `steps`. */
  readonly teacher: TrainSettings;
  readonly student: TrainSettings;
  /** Quantization-aware training of the student. */
  readonly quantize: TrainSettings;
}

/** The steps in order. */
export const languageStepNames = [
  ...(['clean', 'tokenizer', 'teacher', 'student', 'quantize', 'shortlist', 'export', 'measure'] as const),
];
/** Name of a step. */
export type LanguageStepName = (typeof languageStepNames)[number];

/** Quality of a model on the dev pairs. */
export interface MeasuredQuality {
  readonly model: string;
  /** From 0 to 100. */
  readonly bleu: number;
  readonly chrf: number;
}

/** State of the flow; plain JSON, in language.json of its folder. */
export interface LanguageState {
  readonly plan: LanguagePlan;
  /** Seconds of the finished steps. */
  readonly seconds: Readonly<Partial<Record<LanguageStepName, number>>>;
  /** Numbers of pairs: in the file, kept, and held out as dev pairs. */
  readonly pairs?: { readonly all: number; readonly kept: number; readonly dev: number };
  readonly quality: readonly MeasuredQuality[];
  /** Bytes of the files for Firefox. */
  readonly files: Readonly<Record<string, number>>;
}

/** One of so many pairs is a dev pair, at most 500 in all. */
const devEvery = 20;
const maxDev = 500;

/** The flow in a folder. */
export class LanguageFlow {
  readonly #session: Session<TrainingEvent>;
  readonly #folder: string;
  readonly #paths: ReturnType<typeof languagePaths>;
  #state: LanguageState;

  private constructor(session: Session<TrainingEvent>, folder: string, state: LanguageState) {
    this.#session = session;
    this.#folder = folder;
    this.#paths = languagePaths(folder);
    this.#state = state;
  }

  /** Stores a new flow in a folder that has a file of pairs, `pairs` with the ending of its format. */
  static async create(files: Files, folder: string, plan: LanguagePlan): Promise<LanguageState> {
    const state = { plan, seconds: {}, quality: [], files: {} };
    await files.write(languagePaths(folder).state, jsonBytes(state));
    return state;
  }

  /** The flow in a folder, on the registered host; undefined if the folder has none. */
  static async open(
    folder: string,
    options: JobSessionOptions<TrainingEvent> & Required<Pick<JobSessionOptions, 'features'>>,
  ): Promise<LanguageFlow | undefined> {
    // The folders of the flow are paths, not names of models.
    const host = { ...currentHost(), modelPath: (path: string) => path };
    const session = new Session<TrainingEvent>(host, options);
    const { state: path } = languagePaths(folder);
    if (!(await session.files.exists(path))) return undefined;
    const state = await readJson(session.files, path);
    if (!isObject(state.plan) || !isObject(state.seconds))
      throw new HeddleError(msg`it is not the state of a language; delete ${folder}`, { area: path });
    return new LanguageFlow(session, folder, state as unknown as LanguageState);
  }

  /** Gives the device back. */
  close(): Promise<void> {
    return this.#session.close();
  }

  get state(): LanguageState {
    return this.#state;
  }

  /**
   * Runs the steps that are not done. `onStep` gets each when it begins. An abort of the signal rejects with its
   * reason; a later flow continues.
   */
  async run(onStep: (name: LanguageStepName) => void): Promise<LanguageState> {
    for (const name of languageStepNames) {
      if (this.#state.seconds[name] !== undefined) continue;
      onStep(name);
      const start = performance.now();
      const result = await this.#steps[name]();
      this.#session.signal.throwIfAborted(); // a training that was stopped is not done
      const seconds = { ...this.#state.seconds, [name]: (performance.now() - start) / 1000 };
      await this.#save({ ...result, seconds });
    }
    return this.#state;
  }

  readonly #steps: Readonly<Record<LanguageStepName, () => Promise<Partial<LanguageState>>>> = {
    clean: () => this.#clean(),
    tokenizer: () => this.#tokenizer(),
    teacher: () => this.#train(this.#paths.teacher, [this.#paths.clean], this.#state.plan.teacher),
    student: () => this.#student(),
    quantize: async () =>
      this.#train(this.#paths.quantized, await this.#translations(), {
        init: this.#paths.student,
        quantizeBits: 8 as const,
        ...this.#state.plan.quantize,
      }),
    shortlist: () => this.#shortlist(),
    export: () => this.#export(),
    measure: () => this.#measure(),
  };

  async #save(changes: Partial<LanguageState>): Promise<void> {
    this.#state = { ...this.#state, ...changes };
    await this.#session.files.write(this.#paths.state, jsonBytes(this.#state));
  }

  #translations(): Promise<string[]> {
    return translationFiles(this.#session.files, this.#paths.translations);
  }

  async #clean(): Promise<Partial<LanguageState>> {
    const { files, signal } = this.#session;
    const [source, target] = this.#state.plan.languages;
    const given = { files: [`${this.#folder}/${await pairsName(this.#session, this.#folder)}`] };
    const filter = new DuplicateFilter(defaultLimits);
    const kept: string[] = [];
    let all = 0;
    for await (const block of pairBlocks(given, {
      open: (path) => openStream(files, path),
      readers: this.#session.features.pairReaders,
    })) {
      signal.throwIfAborted();
      const cleaned = await cleanBlock(block, { limits: defaultLimits, languages: { source, target } });
      const rules = rulesOf(cleaned, filter);
      all += rules.length;
      for (const [i, line] of cleaned.lines.entries()) if (rules[i] === undefined) kept.push(`${line}\n`);
    }
    const dev = kept.filter((_, i) => i % devEvery === 0).slice(0, maxDev);
    const train = kept.filter((_, i) => i % devEvery !== 0 || i >= devEvery * maxDev);
    check(train.length > 0, msg`${kept.length} of ${all} pairs are left after cleaning; give more`, {
      area: nameOfPairs(given),
    });
    await writeText(files, this.#paths.dev, dev.join(''));
    await writeText(files, this.#paths.clean, train.join(''));
    return { pairs: { all, kept: kept.length, dev: dev.length } };
  }

  async #tokenizer(): Promise<Partial<LanguageState>> {
    const pieces = { byteFallback: true, splitDigits: true, characterCoverage: 0.9995 };
    await trainTokenizerFiles(
      {
        texts: { files: [this.#paths.clean] },
        side: 'both',
        special: 'marian',
        out: this.#paths.vocab,
        options: { kind: 'unigram', size: this.#state.plan.vocabSize, pieces },
      },
      this.#session,
    );
    return {};
  }

  async #train(
    out: string,
    data: readonly string[],
    settings: TrainSettings,
  ): Promise<Partial<LanguageState>> {
    const corpus = { kind: 'files', train: { files: data }, dev: { files: [this.#paths.dev] } } as const;
    const resume = await isHeddleFolder(this.#session.files, out);
    await trainRun({ testSentences: 0, ...settings, corpus, out, resume }, this.#session);
    return {};
  }

  async #student(): Promise<Partial<LanguageState>> {
    const { teacher, clean, student: out, vocab } = this.#paths;
    const settings = {
      preset: 'firefox-tiny' as const,
      tokenizerFile: `${vocab}.model`,
      ...this.#state.plan.student,
    };
    await distill({ teacher, texts: { files: [clean] }, out, beams: 4, batch: 32, settings }, this.#session);
    return {};
  }

  async #shortlist(): Promise<Partial<LanguageState>> {
    const { quantized: pieces, links: out, lexicon: table } = this.#paths;
    await alignFiles({ pairs: { files: await this.#translations() }, out, pieces, table }, this.#session);
    return {};
  }

  async #export(): Promise<Partial<LanguageState>> {
    const { files } = this.#session;
    const { quantized: folder, firefox: out, texts: calibration, lexicon: shortlist } = this.#paths;
    const languagePair = this.#state.plan.languages.join('');
    await writeCalibration(files, this.#paths);
    await removeOwnFolder(files, out);
    const formatOptions = { languagePair, calibration, shortlist };
    await convertFolder({ folder, out, to: 'firefox', formatOptions }, this.#session);
    return { files: await firefoxFileSizes(files, out) };
  }

  async #measure(): Promise<Partial<LanguageState>> {
    const { teacher, student, quantized, firefox, dev } = this.#paths;
    const { signal } = this.#session;
    const pairs = await readPairs({ files: [dev] }, this.#session);
    const models = { teacher, student, 'student, trained for int8': quantized, 'int8 files': firefox };
    const quality: MeasuredQuality[] = [];
    for (const [name, folder] of Object.entries(models)) {
      this.#session.emit({ type: 'message', text: msg`measuring ${name} on ${pairs.length} dev pairs` });
      const model = await openFolder(folder, this.#session, {});
      try {
        const { bleu, chrf } = await model.evaluate(pairs, { ...firefoxLimit, name: 'dev', signal });
        quality.push({ model: name, bleu, chrf });
      } finally {
        model.dispose();
      }
    }
    return { quality };
  }
}

/** The file of pairs that was given, `pairs` with the ending of its format. */
async function pairsName({ files }: Session<TrainingEvent>, folder: string): Promise<string> {
  const found = (await files.list(folder)).find((name) => name.startsWith('pairs.'));
  if (found === undefined) throw new HeddleError('it has no file of pairs', { area: folder });
  return found;
}

/** The configuration file of `heddle language` that makes the same from pairs.tsv and dev.tsv. */
export const languageConfigFile = ({ languages, vocabSize, ...trainings }: LanguagePlan): string =>
  `${JSON.stringify(
    { languages, data: ['pairs.tsv'], dev: 'dev.tsv', tokenizer: { vocabSize }, ...trainings },
    undefined,
    2,
  )}\n`;
