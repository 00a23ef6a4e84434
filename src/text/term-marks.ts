// Soft terms: a source word with the translation that it shall have, as OpusTrainer's tags write it. A model that was
// trained with the augmentation `terms` follows them.

/** Marks around a source word and its translation. */
export const termMarks = { source: '__source__', target: '__target__', end: '__done__' } as const;

/** A source word with its translation: `__source__ tree __target__ árbol __done__`. */
export const markTerm = (source: string, target: string): string =>
  `${termMarks.source} ${source} ${termMarks.target} ${target} ${termMarks.end}`;
