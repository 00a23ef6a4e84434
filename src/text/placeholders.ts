// Placeholders: characters of Unicode's private use area that stand for the inline codes of a segment, so that a
// text with tags is a text. A model whose vocabulary has them copies them as any other token.

/** What a code does: it is single, or it opens or closes a span of text. */
export type CodeKind = 'single' | 'open' | 'close';

/** First character of each kind; 2,048 of each, U+E000 to U+F7FF. */
const firstOf: Readonly<Record<CodeKind, number>> = { single: 0xe000, open: 0xe800, close: 0xf000 };

/** Maximum number of codes of a kind in a segment. */
export const maxCodes = 0x800;

/** All characters of the private use area of the first plane, which a text may have itself (icon fonts). */
export const privateUse = /[\ue000-\uf8ff]/g;

/** The placeholder of the code `index` of a kind. */
export const placeholderOf = (kind: CodeKind, index: number): string =>
  String.fromCharCode(firstOf[kind] + index);

const kinds = ['single', 'open', 'close'] as const;

/** Kind and index of a placeholder; undefined for any other character. */
export function placeholderAt(character: string): { kind: CodeKind; index: number } | undefined {
  const at = character.charCodeAt(0) - firstOf.single;
  if (!(at >= 0 && at < 3 * maxCodes)) return undefined;
  const kind = kinds[Math.floor(at / maxCodes)] as CodeKind;
  return { kind, index: at % maxCodes };
}

/** A text without placeholders; two words that only a placeholder separates get a space. */
export const withoutPlaceholders = (text: string): string =>
  text.replace(/([^\s\ue000-\uf8ff]?)[\ue000-\uf8ff]+(?=(\S?))/g, (_, before: string, after: string) =>
    isWord(before) && isWord(after) ? `${before} ` : before,
  );

const isWord = (character: string): boolean => /[\p{L}\p{N}]/u.test(character);
