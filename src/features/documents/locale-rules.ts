// Rules by which a translation follows the form of its source: case of the first letter, final punctuation,
// non-breaking spaces. Codes are placeholders and stay where they are.

import { languageTag } from '../../text/language-tag.ts';
import { privateUse } from '../../text/placeholders.ts';

/** Final marks by kind, and how languages write them. */
const marks: readonly { readonly any: RegExp; readonly written: Readonly<Record<string, string>> }[] = [
  { any: /(?:\.\.\.|…|⋯)$/u, written: { zh: '……', ja: '…', '': '...' } },
  { any: /[.。．।։።]$/u, written: { zh: '。', ja: '。', hi: '।', hy: '։', am: '።', th: '', '': '.' } },
  { any: /[:：]$/u, written: { zh: '：', ja: '：', fr: '\u00a0:', '': ':' } },
  {
    any: /[?？؟]$/u,
    written: { zh: '？', ja: '？', ar: '؟', fa: '؟', ur: '؟', el: ';', fr: '\u202f?', '': '?' },
  },
  { any: /[!！]$/u, written: { zh: '！', ja: '！', fr: '\u202f!', '': '!' } },
];

const letters = /\p{L}/gu;
const base = (language: string): string => language.toLowerCase().split(/[-_]/)[0] ?? '';

/** The form of an ellipsis that the source uses: three dots, or one character. */
const ellipsisOf = (source: string, written: string): string =>
  written === '...' && /…$/u.test(source) ? '…' : written;

/** Ends a translation as its source: the same kind of final mark, or none. */
function withFinalMark(source: string, target: string, language: string): string {
  const [from, to] = [source.trimEnd(), target.trimEnd()];
  const tail = target.slice(to.length);
  const [wanted, has] = [
    marks.findIndex(({ any }) => any.test(from)),
    marks.findIndex(({ any }) => any.test(to)),
  ];
  if (wanted === has) return target;
  if (wanted < 0) {
    // An abbreviation ends with its point; only the mark of a sentence goes.
    const bare = has === 1 ? to.replace(marks[1]?.any ?? /$/, '') : to;
    return has === 1 && !/(?:\.\p{L}|(?:^|\s)\p{L}{1,3})$/u.test(bare) ? bare + tail : target;
  }
  if (has >= 0) return target;
  if (!/[\p{L}\p{N}\p{M})"'»”’\ue000-\uf7ff]$/u.test(to)) return target;
  const { written } = marks[wanted] as (typeof marks)[number];
  const own = written[base(language)] ?? written[''] ?? '';
  return to + ellipsisOf(from, own) + tail;
}

/** The case of the source: all capitals, or a capital first letter. */
function withCase(source: string, target: string, language: string): string {
  const [from, to] = [source.replace(privateUse, ''), target.replace(privateUse, '')];
  const [own, made] = [from.match(letters) ?? [], to.match(letters) ?? []];
  const tag = languageTag(language);
  const isUpper =
    own.length > 1 && own.every((c) => c === c.toLocaleUpperCase(tag) && c !== c.toLocaleLowerCase(tag));
  if (isUpper && made.length > 1) return target.toLocaleUpperCase(tag);
  const [first, second] = [own[0], made[0]];
  if (first === undefined || second === undefined) return target;
  const starts = /^[^\p{L}\p{N}]*\p{Lu}/u.test(from) && /^[^\p{L}\p{N}]*\p{Ll}/u.test(to);
  if (!starts) return target;
  const at = target.indexOf(second);
  return target.slice(0, at) + second.toLocaleUpperCase(tag) + target.slice(at + second.length);
}

/** Non-breaking spaces: between a number and its unit as in the source, and before marks in French. */
function withSpaces(source: string, target: string, language: string): string {
  let out = target;
  for (const [all, number = ''] of source.matchAll(/(\d+)[\u00a0\u202f](?=\p{L}|[%€$°])/gu)) {
    const space = all.slice(-1);
    const at = out.search(new RegExp(`(?<!\\d)${number} (?=[\\p{L}%€$°])`, 'u'));
    if (at >= 0) out = out.slice(0, at + number.length) + space + out.slice(at + number.length + 1);
  }
  if (base(language) === 'fr')
    out = out
      .replace(/(?<=[\p{L}\p{N}»)\ue000-\uf7ff]) (?=[:»])/gu, '\u00a0')
      .replace(/(?<=[\p{L}\p{N}»)\ue000-\uf7ff]) (?=[;!?])/gu, '\u202f')
      .replace(/« (?=\S)/g, '«\u00a0');
  return out;
}

/** A translation in the form of its source. `language`: of the translation; unknown if empty. */
export function followSource(source: string, target: string, language = ''): string {
  if (target.trim() === '') return target;
  return withSpaces(source, withFinalMark(source, withCase(source, target, language), language), language);
}
