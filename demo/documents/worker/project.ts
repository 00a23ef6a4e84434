// A project at work: its document, its memory, its model, and the translations so far.

import { type Message, msg } from '../../../src/core/message.ts';
import {
  DocumentReview,
  openDocument,
  TranslationMemory,
  translateDocument,
  withoutPlaceholders,
  writeTmx,
} from '../../../src/entries/documents.ts';
import { HeddleError, isSupported, loadModel, type Model, type Pair } from '../../../src/entries/heddle.ts';
import { type BrowserFiles, packModel } from '../../../src/entries/host.ts';
import { doubtfulWords } from '../../common/doubtful-words.ts';
import type { LearnReport, ProjectView, Reply, SegmentState, SegmentView } from '../documents-protocol.ts';
import { PacedStatus } from './paced-status.ts';
import type { ProjectFacts, ProjectStore } from './project-store.ts';

/** Name of the LoRA adapter in the browser's storage. */
const adapterName = 'documents adapter';

/** Segments that are translated together. */
const atOnce = 8;

/** Pairs of a memory that learning may use; of a larger memory so many are chosen. */
const maxLearned = 4000;

/** The project. */
export class Project {
  readonly #store: ProjectStore;
  readonly #files: BrowserFiles;
  #facts: ProjectFacts;
  readonly #review: DocumentReview;
  /** The pairs of the memory, then the confirmed ones. */
  readonly #matches: TranslationMemory;
  readonly #memorySize: number;
  readonly #states: Map<number, SegmentState>;
  readonly #post: (reply: Reply) => void;
  #model: Promise<Model> | undefined;
  /** Number of LoRA adapters that the loaded model has; the last one is in use. */
  #adapters = 0;
  #stop = new AbortController();

  private constructor(
    parts: { store: ProjectStore; files: BrowserFiles; facts: ProjectFacts; post: (reply: Reply) => void },
    review: DocumentReview,
    memory: TranslationMemory,
    states: Map<number, SegmentState>,
  ) {
    this.#store = parts.store;
    this.#files = parts.files;
    this.#facts = parts.facts;
    this.#post = parts.post;
    this.#review = review;
    this.#matches = memory;
    this.#memorySize = memory.size;
    this.#states = states;
    for (const [index, { confirmed, text }] of states)
      if (confirmed !== null) this.#matches.add(review.pairOf(index, text));
  }

  /** Opens the stored project; undefined if there is none. `memory`: its memory, if it was read already. */
  static async open(
    store: ProjectStore,
    files: BrowserFiles,
    post: (reply: Reply) => void,
    memory?: TranslationMemory,
  ): Promise<Project | undefined> {
    const facts = await store.facts();
    if (!facts) return undefined;
    const document = await openDocument(await store.document(), facts.name, { targetLang: facts.target });
    const review = new DocumentReview(document);
    const pairs = memory ?? new TranslationMemory();
    const status = new PacedStatus(post);
    const { memoryName } = facts;
    if (!memory && memoryName !== null)
      for await (const some of store.memory()) {
        for (const pair of some) pairs.add(pair);
        status.show(() => msg`Reading ${memoryName}: ${pairs.size} pairs`);
      }
    return new Project({ store, files, facts, post }, review, pairs, await store.translations());
  }

  view(): ProjectView {
    const { name, model, source, target, memoryName, learned } = this.#facts;
    return {
      name,
      model,
      source,
      target,
      learned,
      memory: memoryName ? { name: memoryName, pairs: this.#memorySize } : null,
      segments: this.#review.segments.map((_, index) => this.#segment(index)),
    };
  }

  /** Translates the segments without a translation. */
  async translate(): Promise<void> {
    const open = this.#review.segments.flatMap(({ isTranslated }, i) =>
      isTranslated || this.#states.has(i) ? [] : [i],
    );
    if (open.length === 0) return;
    this.#status(msg`Loading the model…`);
    const model = await this.#loaded();
    const { source, target } = this.#facts;
    const languages = model.languages ? { sourceLang: source, targetLang: target } : {};
    const units = open.map((i) => ({
      name: String(i),
      segments: [{ source: this.#sourceOf(i), isTranslated: false }],
      edits: () => [],
    }));
    let done = 0;
    this.#status(msg`Translating: 0 of ${open.length} segments`);
    const { signal } = this.#stop;
    const parts = translateDocument(
      model,
      { text: '', units },
      {
        memory: this.#matches,
        targetLang: target,
        atOnce,
        signal,
        decode: { ...languages, signal },
      },
    );
    for await (const { reports } of parts) {
      const indices = open.slice(done, done + reports.length);
      done += reports.length;
      const texts = reports.map((report) => report.target);
      const doubts = await this.#doubts(
        model,
        indices.map((i, k) => ({ source: this.#review.segments[i]?.shown ?? '', target: texts[k] ?? '' })),
        reports.map(({ origin }) => origin === 'machine'),
      );
      const states = indices.flatMap((index, k): [number, SegmentState][] => {
        const { origin = 'not translated', confidence = null, target: text = '' } = reports[k] ?? {};
        // An edit that came meanwhile stays.
        if (this.#states.has(index)) return [];
        const isMade = origin === 'machine' || origin === 'exact' || origin === 'fuzzy';
        return [
          [
            index,
            {
              text,
              origin: isMade ? origin : 'machine',
              confirmed: null,
              confidence,
              doubts: doubts[k] ?? [],
              ...this.#checks(index, text),
            },
          ],
        ];
      });
      for (const [index, state] of states) this.#states.set(index, state);
      await this.#store.add(states);
      for (const [index] of states) this.#post({ type: 'segment', segment: this.#segment(index) });
      this.#status(done < open.length ? msg`Translating: ${done} of ${open.length} segments` : '');
    }
    this.#status('');
  }

  /** Stores a translation of the visitor; a confirmed one is added to the memory. */
  async save(index: number, text: string, confirm: boolean): Promise<SegmentView> {
    const before = this.#stateOf(index);
    const isSame = before?.text === text;
    const state: SegmentState = {
      text,
      origin: isSame ? before.origin : 'edited',
      confirmed: confirm ? Date.now() : null,
      confidence: isSame ? before.confidence : null,
      doubts: isSame ? before.doubts : [],
      ...this.#checks(index, text),
    };
    if (confirm && !state.valid)
      throw new HeddleError(
        msg`The codes of the translation differ from those of the source: each must be there once.`,
      );
    this.#states.set(index, state);
    await this.#store.add([[index, state]]);
    if (confirm) this.#matches.add(this.#review.pairOf(index, text));
    return this.#segment(index);
  }

  /**
   * Trains an adapter on the confirmed segments; segments that are not confirmed are translated again by
   * `translate`.
   */
  async learn(): Promise<LearnReport> {
    const { learnCorrections } = await import('./learn.ts');
    const model = await this.#loaded();
    const shown = (pair: Pair): Pair => ({
      source: withoutPlaceholders(pair.source),
      target: withoutPlaceholders(pair.target),
    });
    const pairs = (isConfirmed: boolean) =>
      [...this.#states].flatMap(([index, { confirmed, origin, text }]) =>
        (confirmed !== null) === isConfirmed && (isConfirmed || origin === 'machine') && text !== ''
          ? [shown(this.#review.pairOf(index, text))]
          : [],
      );
    const step = Math.max(1, this.#memorySize / maxLearned);
    const memory = Array.from({ length: Math.floor(this.#memorySize / step) }, (_, i) =>
      shown(this.#matches.pair(Math.floor(i * step))),
    );
    const given = { confirmed: pairs(true), memory, own: pairs(false) };
    const report = await learnCorrections(model, given, adapterName, (text) => this.#status(text));
    this.#facts = { ...this.#facts, learned: report };
    await this.#store.write(this.#facts);
    await this.#useAdapter(model);
    for (const [index, { confirmed, origin }] of this.#states)
      if (confirmed === null && origin === 'machine') this.#states.delete(index);
    this.#status('');
    return report;
  }

  async file(kind: 'document' | 'memory' | 'adapter'): Promise<Blob> {
    if (kind === 'adapter') return packModel(`models/${adapterName}`, { files: this.#files });
    const { source, target } = this.#facts;
    if (kind === 'memory') {
      const pairs = [...this.#states]
        .filter(([, { confirmed }]) => confirmed !== null)
        .map(([index, { text, confirmed }]) => ({
          ...this.#review.pairOf(index, text),
          time: new Date(confirmed ?? 0),
        }));
      return new Blob([writeTmx(pairs, { source, target })], { type: 'application/xml' });
    }
    const translations = new Map(
      [...this.#states].flatMap(([index, { text, origin, confirmed }]) => {
        const isOfVisitor = origin === 'edited' || origin === 'document';
        const written = confirmed !== null ? 'exact' : isOfVisitor ? 'fuzzy' : origin;
        return text === '' ? [] : [[index, { text, origin: written }] as const];
      }),
    );
    return new Blob([this.#review.write(translations) as BlobPart]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    (await this.#model?.catch(() => undefined))?.dispose();
  }

  #sourceOf(index: number) {
    const segment = this.#review.segments[index];
    if (!segment) throw new HeddleError(msg`There is no segment ${index}.`);
    return segment.source;
  }

  #segment(index: number): SegmentView {
    const { unit = '', line, shown = '' } = this.#review.segments[index] ?? {};
    return { index, unit, line, source: shown, state: this.#stateOf(index) };
  }

  /** The translation of a segment: a new one, or the one that the document came with. */
  #stateOf(index: number): SegmentState | null {
    const made = this.#states.get(index);
    const given = this.#review.segments[index]?.target;
    if (made || given === undefined) return made ?? null;
    const checks = this.#checks(index, given);
    return { text: given, origin: 'document', confirmed: null, confidence: null, doubts: [], ...checks };
  }

  #checks(index: number, text: string): Pick<SegmentState, 'problems' | 'valid'> {
    return {
      problems: text === '' ? [] : this.#review.check(index, text).map(({ problem }) => problem),
      valid: text !== '' && this.#review.isValid(index, text),
    };
  }

  #status(text: Message | string): void {
    this.#post({ type: 'status', text });
  }

  /** The doubtful words of translations of the model. */
  async #doubts(
    model: Model,
    pairs: readonly Pair[],
    isMachine: readonly boolean[],
  ): Promise<(readonly (readonly [number, number])[])[]> {
    const which = pairs.flatMap(({ target }, k) => (isMachine[k] && target !== '' ? [k] : []));
    if (which.length === 0) return [];
    const scores = await model
      .score(which.map((k) => pairs[k] as Pair))
      // No pair fits the model.
      .catch(() => []);
    const found: (readonly (readonly [number, number])[])[] = pairs.map(() => []);
    for (const [n, k] of which.entries())
      found[k] = doubtfulWords(pairs[k]?.target ?? '', scores[n]?.tokens ?? []);
    return found;
  }

  #loaded(): Promise<Model> {
    this.#model ??= (async () => {
      const { name, url } = this.#facts.model;
      const { supported } = await isSupported();
      const model = await loadModel(url ?? name, { tune: false, device: supported ? 'gpu' : 'wasm' });
      if (this.#facts.learned) await this.#useAdapter(model);
      return model;
    })();
    this.#model.catch(() => {
      this.#model = undefined;
    });
    return this.#model;
  }

  async #useAdapter(model: Model): Promise<void> {
    const name = `learned ${++this.#adapters}`;
    await model.addLora(name, adapterName);
    model.useLora(name);
  }
}
