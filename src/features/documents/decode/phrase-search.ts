// Beam search whose hypotheses contain given phrases, by dynamic beam allocation: M. Post and D. Vilar, 2018, "Fast
// Lexically Constrained Decoding with Dynamic Beam Allocation for Neural Machine Translation". Hypotheses are in
// banks by the number of phrase tokens that they have, and the beams are shared among the banks.

import type { Hypothesis } from '../../../decode/hypotheses.ts';
import { dead } from '../../../engine/ops/decoding/next-token.ts';
import { type JoinsWord, maxBehind, type TermPlace } from './term-place.ts';

/** Progress of a hypothesis: which phrases it has, and how much of the next one. */
interface Progress {
  /** Bit i: phrase i is complete. */
  readonly met: number;
  /** The phrase that is begun; -1: none. */
  readonly active: number;
  /** Number of its tokens so far. */
  readonly at: number;
  /** The phrase that the last token has completed, if it has. */
  readonly last?: number;
}

/** Maximum number of phrases of a sentence; further ones are not required. */
export const maxPhrases = 30;

const nothing: Progress = { met: 0, active: -1, at: 0 };

/** The phrases of a sentence, as token ids. */
export class Phrases {
  readonly #list: readonly (readonly number[])[];
  readonly #joins: JoinsWord;

  constructor(list: readonly (readonly number[])[], joins: JoinsWord = () => false) {
    this.#joins = joins;
    this.#list = list.filter((phrase) => phrase.length > 0).slice(0, maxPhrases);
  }

  get all(): number {
    return 2 ** this.#list.length - 1;
  }

  /** Number of phrase tokens of a hypothesis. */
  bank({ met, at }: Progress): number {
    return this.#list.reduce((n, phrase, i) => n + (met & (1 << i) ? phrase.length : 0), at);
  }

  /** The tokens that continue the phrase that is begun, or begin one that is missing. */
  wanted({ met, active, at }: Progress): number[] {
    const next = this.#list[active]?.[at];
    if (next !== undefined) return [next];
    return [...new Set(this.#list.flatMap((phrase, i) => (met & (1 << i) ? [] : [phrase[0] as number])))];
  }

  /**
   * The progress after one more token, behind `before`. A phrase that is left starts again. A phrase is not the part of
   * a longer word: it does not begin inside of one, and is missing again if the token continues its last word.
   */
  after(progress: Progress, token: number, before?: number): Progress {
    const { active, at, last = -1 } = progress;
    let { met } = progress;
    if (this.#list[active]?.[at] === token) return this.#advanced(met, active, at + 1);
    const begun = this.#list.some((phrase, i) => !(met & (1 << i)) && phrase[0] === token);
    if (before !== undefined && (begun || last >= 0) && this.#joins(before, token)) {
      if (last >= 0) met &= ~(1 << last);
      return { met, active: -1, at: 0 };
    }
    let best = -1;
    for (const [i, phrase] of this.#list.entries())
      if (!(met & (1 << i)) && phrase[0] === token && phrase.length > (this.#list[best]?.length ?? 0))
        best = i;
    return best < 0 ? { met, active: -1, at: 0 } : this.#advanced(met, best, 1);
  }

  #advanced(met: number, active: number, at: number): Progress {
    return at === this.#list[active]?.length
      ? { met: met | (1 << active), active: -1, at: 0, last: active }
      : { met, active, at };
  }
}

/** A hypothesis that runs. */
interface Row {
  readonly ids: readonly number[];
  readonly total: number;
  readonly progress: Progress;
}

/** A row with one more token. */
interface Candidate {
  readonly parent: number;
  readonly token: number;
  readonly total: number;
  readonly progress: Progress;
  readonly bank: number;
}

/** What the search of a batch needs to know. */
export interface PhraseSettings {
  readonly rows: number;
  readonly numReturn: number;
  readonly maxNewTokens: number;
  readonly minNewTokens: number;
  readonly endId: number;
  /** Sequences of tokens that no hypothesis has, except inside of a phrase. Default: none. */
  readonly bannedSequences?: readonly (readonly number[])[];
  /** Whether a token may follow some tokens. Default: all may. */
  allows?(ids: readonly number[], token: number): boolean;
  /** Whether a token continues the word of the one before. Default: none does. */
  readonly joins?: JoinsWord;
  /** A term that has a place. Default: none. */
  readonly place?: TermPlace;
  /** Whether the last word of some tokens, which begins at `start`, is only in phrases. Default: none is. */
  avoids?(ids: readonly number[], start: number): boolean;
  score(logProb: number, length: number): number;
}

/** Numbers of a step for each row; `wanted`: log-probabilities of the ids of `idsFor`, in order. */
export interface PhraseStep {
  readonly tokens: ArrayLike<number>;
  readonly logProbs: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
  wanted(row: number, i: number): number | undefined;
}

/**
 * The number of beams of each bank: equal shares for those that have candidates, the rest to the fullest; a share
 * that a bank cannot use goes to the next fuller or emptier bank with candidates.
 */
export function allocateBeams(sizes: ReadonlyMap<number, number>, beams: number): Map<number, number> {
  const banks = [...sizes.keys()].sort((a, b) => b - a);
  const slots = new Map(banks.map((bank) => [bank, 0]));
  for (let left = beams; left > 0; ) {
    const open = banks.filter((bank) => (slots.get(bank) as number) < (sizes.get(bank) as number));
    if (open.length === 0) break;
    for (const bank of open.slice(0, left)) slots.set(bank, (slots.get(bank) as number) + 1);
    left -= Math.min(left, open.length);
  }
  return slots;
}

/** The search of one sentence. */
export class PhraseSearch {
  readonly #phrases: Phrases;
  readonly #settings: PhraseSettings;
  #rows: Row[] = [{ ids: [], total: 0, progress: nothing }];
  #finished: Hypothesis[] = [];
  #length = 0;
  #isDone = false;

  constructor(phrases: readonly (readonly number[])[], settings: PhraseSettings) {
    this.#phrases = new Phrases(phrases, settings.joins);
    this.#settings = settings;
  }

  get done(): boolean {
    return this.#isDone;
  }

  /** The ids whose log-probabilities row `k` needs in the next step. */
  idsFor(k: number): number[] {
    const row = this.#rows[k];
    return row ? this.#wantedOf(row) : [];
  }

  /** Takes a step of the rows from `first` on; returns token and parent of each next row. */
  take(step: PhraseStep, first: number): { readonly tokens: number[]; readonly parents: number[] } {
    const { rows: K, numReturn, maxNewTokens, minNewTokens } = this.#settings;
    this.#length++;
    if (!this.#isDone) {
      const candidates = this.#rows.flatMap((row, k) => this.#candidatesOf(row, k, first + k, step));
      if (this.#length > minNewTokens) this.#finish(step, first, candidates);
      this.#rows = this.#chosen(candidates);
      const best = this.#rows.reduce(
        (max, row) => Math.max(max, this.#settings.score(row.total, this.#length)),
        Number.NEGATIVE_INFINITY,
      );
      const worst = this.#finished[numReturn - 1];
      const isFull = worst !== undefined && worst.score >= best;
      if (isFull || this.#rows.length === 0 || this.#length >= maxNewTokens) this.#isDone = true;
    }
    const { endId } = this.#settings;
    const parents = this.#parents;
    return {
      tokens: Array.from({ length: K }, (_, k) => this.#rows[k]?.ids.at(-1) ?? endId),
      parents: Array.from({ length: K }, (_, k) => parents[k] ?? 0),
    };
  }

  #parents: number[] = [];

  /** The hypotheses with all phrases; without one, those that run, with the most phrase tokens first. */
  finish(): Hypothesis[] {
    if (this.#finished.length > 0) return this.#finished.slice(0, this.#settings.numReturn);
    return [...this.#rows]
      .sort((a, b) => this.#bankOf(b.ids, b.progress) - this.#bankOf(a.ids, a.progress) || b.total - a.total)
      .slice(0, this.#settings.numReturn)
      .map(({ ids, total }) => ({
        ids,
        logProb: total,
        score: this.#settings.score(total, ids.length),
        ended: false,
      }));
  }

  #allows({ ids }: Row, token: number): boolean {
    const { allows, place } = this.#settings;
    return allows?.(ids, token) !== false && place?.allows(ids, token) !== false;
  }

  /** Whether a token makes a word that is only in phrases. */
  #isAvoided({ ids }: Row, token: number): boolean {
    const { avoids, joins = () => false } = this.#settings;
    if (!avoids) return false;
    let start = ids.length;
    const all = [...ids, token];
    while (start > 0 && joins(all[start - 1] as number, all[start] as number)) start--;
    return avoids(all, start);
  }

  /** The tokens of phrases, and of a term that has a place, that may follow a row. */
  #wantedOf(row: Row): number[] {
    const placed = this.#settings.place?.wanted(row.ids);
    const all = new Set([...(placed === undefined ? [] : [placed]), ...this.#phrases.wanted(row.progress)]);
    return [...all].filter((token) => this.#allows(row, token));
  }

  /** Number of phrase tokens of a hypothesis, with those of a term that has a place. */
  #bankOf(ids: readonly number[], progress: Progress): number {
    return this.#phrases.bank(progress) + (this.#settings.place?.tokensIn(ids) ?? 0);
  }

  /** Whether a hypothesis has all phrases, and the term that has a place. */
  #isMet({ ids, progress }: Row): boolean {
    return progress.met === this.#phrases.all && this.#settings.place?.isMetIn(ids) !== false;
  }

  #candidatesOf(row: Row, k: number, at: number, step: PhraseStep): Candidate[] {
    const { rows: K } = this.#settings;
    const found = new Map<number, number>();
    const least = this.#settings.place?.isBefore(row.ids)
      ? Math.max(...Array.from({ length: K }, (_, i) => step.logProbs[at * K + i] as number)) - maxBehind
      : Number.NEGATIVE_INFINITY;
    for (let i = 0; i < K; i++) {
      const logProb = step.logProbs[at * K + i] as number;
      const token = step.tokens[at * K + i] as number;
      if (logProb > dead && logProb >= least && this.#allows(row, token) && !this.#isAvoided(row, token))
        found.set(token, logProb);
    }
    for (const [i, token] of this.#wantedOf(row).entries()) {
      const logProb = step.wanted(at, i);
      if (logProb === undefined || token === this.#settings.endId || this.#isBanned(row, token)) continue;
      found.set(token, logProb);
    }
    return [...found].map(([token, logProb]) => {
      const progress = this.#phrases.after(row.progress, token, row.ids.at(-1));
      const bank = this.#bankOf([...row.ids, token], progress);
      return { parent: k, token, total: row.total + logProb, progress, bank };
    });
  }

  /** Whether a token of a phrase would complete a banned sequence that begins before the phrase. */
  #isBanned({ ids, progress }: Row, token: number): boolean {
    const { bannedSequences = [], place } = this.#settings;
    const at = Math.max(progress.at, place?.tokensIn(ids) ?? 0);
    return bannedSequences.some(
      (sequence) =>
        sequence.length > at + 1 && [...ids, token].slice(-sequence.length).join() === sequence.join(),
    );
  }

  /** Ends hypotheses with all phrases that are among the best continuations of their bank. */
  #finish(step: PhraseStep, first: number, candidates: readonly Candidate[]): void {
    const { rows: K, score } = this.#settings;
    for (const [k, row] of this.#rows.entries()) {
      const { ids, total, progress } = row;
      const end = step.ends[first + k] as number;
      if (!this.#isMet(row) || !(end > dead)) continue;
      const sum = total + end;
      const bank = this.#bankOf(ids, progress);
      if (candidates.filter((other) => other.bank === bank && other.total > sum).length >= K) continue;
      this.#finished.push({ ids, logProb: sum, score: score(sum, this.#length), ended: true });
    }
    this.#finished.sort((a, b) => b.score - a.score).splice(K);
  }

  /** The best candidates of each bank. */
  #chosen(candidates: readonly Candidate[]): Row[] {
    const sizes = new Map<number, number>();
    for (const { bank } of candidates) sizes.set(bank, (sizes.get(bank) ?? 0) + 1);
    const slots = allocateBeams(sizes, this.#settings.rows);
    const chosen = [...candidates]
      .sort((a, b) => b.total - a.total)
      .filter(({ bank }) => {
        const left = slots.get(bank) ?? 0;
        slots.set(bank, left - 1);
        return left > 0;
      });
    this.#parents = chosen.map(({ parent }) => parent);
    return chosen.map(({ parent, token, total, progress }) => ({
      ids: [...(this.#rows[parent]?.ids ?? []), token],
      total,
      progress,
    }));
  }
}
