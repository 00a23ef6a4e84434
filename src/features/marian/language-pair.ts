// Names of models of Firefox Translations: pairs of languages.

const pairPattern = /^[a-z]{2,3}(?:_\w{2,8})?-[a-z]{2,3}(?:_\w{2,8})?$/;

/** Whether a name is a pair of languages such as `en-es`, and not OWNER/NAME. */
export const isLanguagePair = (name: string): boolean => pairPattern.test(name);
