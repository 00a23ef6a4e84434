// Sentences of a text (Unicode Standard Annex 29, by Intl.Segmenter), for models that were trained on single
// sentences.

/** Length of the parts of a long text that are searched, and how far before its end a boundary in a part counts. */
const [windowLength, margin] = [4000, 500];

/**
 * Segments of a text. V8 copies the whole text for each segment, which takes time that grows with the square of the length;
 * so the segmenter sees a part of a long text at a time. A boundary near the end of a part may depend on what follows.
 */
function segmentsOf(text: string): { readonly segment: string; readonly index: number }[] {
  // The root locale: the result does not depend on the machine.
  const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });
  const ends: number[] = [];
  for (let from = 0; from < text.length; ) {
    const part = text.slice(from, from + windowLength);
    const isLast = from + part.length === text.length;
    const limit = isLast ? part.length : part.length - margin;
    const found = Array.from(segmenter.segment(part), ({ segment, index }) => index + segment.length).filter(
      (end) => end <= limit,
    );
    ends.push(...found.map((end) => from + end));
    // A sentence that is longer than the part goes on in the next one, which begins between two characters.
    from += isLast ? part.length : (found.at(-1) ?? limit - (isLowSurrogate(part, limit) ? 1 : 0));
  }
  return ends.map((end, i) => ({ segment: text.slice(ends[i - 1] ?? 0, end), index: ends[i - 1] ?? 0 }));
}

const isLowSurrogate = (text: string, at: number): boolean => /[\udc00-\udfff]/.test(text[at] ?? '');

/**
 * Splits a text into sentences, in order and without the white space around them. A text without words has
 * none.
 */
export function splitSentences(text: string) {
  const located = segmentsOf(text)
    .map(({ segment, index }) => ({
      sentence: segment.trim(),
      start: index + segment.length - segment.trimStart().length,
    }))
    .filter(({ sentence }) => sentence !== '');
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
