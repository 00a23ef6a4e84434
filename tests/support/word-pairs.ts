// Words and their translations, from which tests of alignments make sentences.

/** English words and their Spanish translations, one word each. */
export const wordPairs: readonly (readonly [string, string])[] = [
  ['one', 'uno'],
  ['two', 'dos'],
  ['six', 'seis'],
  ['ten', 'diez'],
  ['red', 'rojo'],
  ['sun', 'sol'],
  ['tree', 'árbol'],
  ['sea', 'mar'],
];
