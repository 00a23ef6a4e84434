// Sentences of a text (Unicode Standard Annex 29, by Intl.Segmenter), for models that were trained on single
// sentences.

/**
 * Splits a text into sentences, in order and without the white space around them. A text without words has
 * none.
 */
export function splitSentences(text: string) {
  // The root locale: the result does not depend on the machine.
  const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });
  const located = Array.from(segmenter.segment(text), ({ segment, index }) => ({
    sentence: segment.trim(),
    start: index + segment.length - segment.trimStart().length,
  })).filter(({ sentence }) => sentence !== '');
  const spaceAfter = ({ sentence, start }: (typeof located)[number], i: number) => {
    const next = located[i + 1];
    return next ? text.slice(start + sentence.length, next.start) || ' ' : '';
  };
  const spaces = located.map(spaceAfter);
  return {
    sentences: located.map(({ sentence }) => sentence),
    /** The white space after each sentence; empty after the last. */
    spaces,
    /**
     * Joins translations of the sentences with the white space of the text, line breaks included. If two
     * sentences have none between them, as in Chinese, they get a space.
     */
    join: (translations: readonly string[]): string =>
      translations.map((translation, i) => translation + (spaces[i] ?? '')).join(''),
  };
}
