// Forms of English words: "cities" of "city", "running" of "run"; not "cares" of "car".

/** Whether a word of one syllable doubles its last consonant before an ending: "running". */
const doubles = (base: string): boolean => /^(?:[^aeiou]|qu)*[aeiouy][^aeiouwxy]$/.test(base);

/** Words of which a word may be a form with `ending`, such as `ing`, that begins with a vowel. */
function basesBefore(word: string, ending: string): string[] {
  if (!word.endsWith(ending)) return [];
  const base = word.slice(0, -ending.length);
  if (!/[aeiouy]/.test(base)) return [];
  const isDoubled = /([^aeiou])\1$/.test(base);
  return [
    ...(doubles(base) ? [] : [base]),
    `${base}e`,
    ...(isDoubled ? [base.slice(0, -1)] : []),
    ...(ending === 'ed' && base.endsWith('i') ? [`${base.slice(0, -1)}y`] : []),
    ...(ending === 'ing' && base.endsWith('y') ? [`${base.slice(0, -1)}ie`] : []),
  ];
}

/** A word and the words of which it may be a regular form. */
function basesOf(word: string): string[] {
  const own = word.replace(/['’]s?$/, '');
  const plural = (ending: RegExp, base: string) => (ending.test(own) ? [own.replace(ending, base)] : []);
  return [
    own,
    ...(/(?:[^s]|ss)s$/.test(own) && !/(?:ss|us|is)$/.test(own) ? plural(/s$/, '') : []),
    ...(/(?:[sxzo]|ch|sh)es$/.test(own) ? plural(/es$/, '') : []),
    ...(/..ies$/.test(own) ? plural(/ies$/, 'y') : []),
    ...(/..ves$/.test(own) ? [...plural(/ves$/, 'f'), ...plural(/ves$/, 'fe')] : []),
    ...plural(/men$/, 'man'),
    ...plural(/children$/, 'child'),
    ...basesBefore(own, 'ed'),
    ...basesBefore(own, 'ing'),
  ];
}

/** Whether two words are forms of one English word. */
export function isEnglishForm(word: string, term: string): boolean {
  const own = basesOf(term);
  return basesOf(word).some((base) => own.includes(base));
}

/** Words that are frequent in English and rare in other languages. */
const frequent =
  /(?<![\p{L}'’])(?:the|of|and|are|is|was|to|with|for|it|he|she|they|you|your|my|this|that|not)(?![\p{L}'’])/iu;

/** Whether a text is English: by the language, if it is known, else by its words. */
export const isEnglish = (text: string, language?: string): boolean =>
  language === undefined ? frequent.test(text) : /^en(?:g|[-_]|$)/i.test(language);
