// Quoting for command lines that messages print, so that they can be pasted into a shell.

/**
 * A word for a POSIX shell: as it is if that is safe, else in single quotes.
 *
 * @example
 * console.log(shellQuote("my model's")); // 'my model'\''s'
 */
export const shellQuote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
