// Normalization of the texts of a corpus: Unicode form and whitespace.

/** Unicode whitespace and the byte-order mark. */
const blanks = /[\p{White_Space}\u{feff}]+/gu;
/** Zero-width space and direction marks. */
const invisible = /[\u{200b}\u{200e}\u{200f}\u{61c}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/**
 * Matches a text that normalization may change: a character outside the common scripts, which NFC may change,
 * or a space at an end or next to another space.
 */
const unusual =
  /[^ -~\xa1-\u02ff\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0621-\u064a\u3001-\u3011\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]|^ | $| {2}/;

/** A fast test that a text is normalized already, as most texts are; false if it is not certain. */
export const isPlainText = (text: string): boolean => !unusual.test(text);

/** Normalizes text: NFC, every run of whitespace as one space, trimmed, without direction marks. */
export const normalizeText = (text: string): string =>
  isPlainText(text) ? text : text.normalize('NFC').replace(invisible, '').replace(blanks, ' ').trim();
