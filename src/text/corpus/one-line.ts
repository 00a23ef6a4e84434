// A text for where each line is a text.

/** The text with a space for each line break, which models of bytes can write. */
export const oneLine = (text: string): string => text.replace(/[\n\v\f\r\u0085\u2028\u2029]/g, ' ');
