// Scores of parts of a corpus: by length of the source, by share of rare words, and the worst sentences.

import { corpusBleu, sentenceBleu } from './bleu.ts';
import { corpusChrf, sentenceChrf } from './chrf.ts';

/** A translation with its source and references. */
export interface TranslatedSentence {
  readonly source: string;
  readonly translation: string;
  readonly references: readonly string[];
}

/** Scores of some sentences. */
export interface GroupScores {
  /** `1 to 5 words`, `no rare word`. */
  readonly group: string;
  /** Number of sentences. */
  readonly sentences: number;
  /** Corpus BLEU, 0 to 100. */
  readonly bleu: number;
  /** Corpus chrF2, 0 to 100. */
  readonly chrf: number;
}

/** A sentence with its own scores. */
export interface ScoredSentence extends TranslatedSentence {
  /** Number of the sentence, from 1. */
  readonly number: number;
  /** Its chrF2, 0 to 100. */
  readonly chrf: number;
  /** Its smoothed BLEU, 0 to 100. */
  readonly bleu: number;
}

/** Scores of the parts of a corpus; plain JSON. */
export interface CorpusAnalysis {
  /** Scores by the number of words of the source. */
  readonly byLength: readonly GroupScores[];
  /** Scores by the share of rare words in the source. */
  readonly byRareWords: readonly GroupScores[];
  /** The sentences with the lowest chrF, the worst first. */
  readonly worst: readonly ScoredSentence[];
}

/** Upper limits of the lengths of the source in words. */
const lengths = [5, 10, 20, 30, 50, Number.POSITIVE_INFINITY];
/** Upper limits of the share of rare words. */
const shares = [0, 0.1, 0.25, 0.5, 1];
/** A word is rare if the sources of the corpus have it at most so often. */
const rareCount = 1;
const worstCount = 20;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** Scores by length of the source, by share of rare words, and the 20 sentences with the lowest chrF. */
export function analyzeCorpus(sentences: readonly TranslatedSentence[]): CorpusAnalysis {
  const counts = new Map<string, number>();
  const words = sentences.map(({ source }) => wordsOf(source));
  for (const list of words) for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
  const rare = words.map(
    (list) =>
      list.filter((word) => (counts.get(word) as number) <= rareCount).length / Math.max(1, list.length),
  );
  const group = (name: string, belongs: (i: number) => boolean): GroupScores[] => {
    const members = sentences.filter((_, i) => belongs(i));
    if (members.length === 0) return [];
    const translations = members.map(({ translation }) => translation);
    const references = members.map((member) => member.references);
    return [
      {
        group: name,
        sentences: members.length,
        bleu: corpusBleu(translations, references).score,
        chrf: corpusChrf(translations, references).score,
      },
    ];
  };
  const byLength = lengths.flatMap((limit, i) => {
    const above = i === 0 ? 0 : (lengths[i - 1] as number);
    const name = Number.isFinite(limit) ? `${above + 1} to ${limit} words` : `more than ${above} words`;
    return group(name, (k) => wordCount(k) > above && wordCount(k) <= limit);
  });
  function wordCount(k: number): number {
    return Math.max(1, (words[k] as string[]).length);
  }
  const byRareWords = shares.flatMap((limit, i) => {
    const above = i === 0 ? -1 : (shares[i - 1] as number);
    const percent = (share: number) => Math.round(100 * share);
    const name = i === 0 ? 'no rare word' : `${percent(above)} to ${percent(limit)} % rare words`;
    return group(name, (k) => (rare[k] as number) > above && (rare[k] as number) <= limit);
  });
  const worst = sentences
    .map((sentence, i) => ({
      sentence,
      i,
      chrf: sentenceChrf(sentence.translation, sentence.references).score,
    }))
    .sort((a, b) => a.chrf - b.chrf || a.i - b.i)
    .slice(0, worstCount)
    .map(({ sentence, i, chrf }): ScoredSentence => {
      const bleu = sentenceBleu(sentence.translation, sentence.references).score;
      return { ...sentence, number: i + 1, chrf, bleu };
    });
  return { byLength, byRareWords, worst };
}
