// Marks English texts that the page translates when it shows them: texts of workers, which are always English, and
// names that are stored or part of a link.

/** The text in English. The page shows it with `translated`, or `translatedMessage` if it comes from a worker. */
export const english = (strings: readonly string[], ...values: readonly unknown[]): string =>
  strings.map((text, i) => (i === 0 ? text : `${values[i - 1]}${text}`)).join('');
