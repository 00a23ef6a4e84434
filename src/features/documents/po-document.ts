// Gettext catalogs as documents: each message without a translation gets one, marked fuzzy. The other lines stay.

import type { DocumentUnit, Edit, ParseDocument, SegmentTranslation } from './document.ts';
import { type InlineText, inlineText, renderText } from './inline/inline-text.ts';
import { isForOne, type PluralForms } from './pairs/plural-forms.ts';
import { type PoEntry, parsePo, quotePo } from './pairs/po-file.ts';

/** The text that a plural form translates: the singular for the form of 1, if it has the codes that are needed. */
function sourceOf({ id, plural, flags }: PoEntry, plurals: PluralForms, form: number): InlineText {
  const singular = inlineText(id, { flags, hasOptions: true });
  if (plural === undefined) return singular;
  const several = inlineText(plural, { flags, hasOptions: true });
  const { one, only } = isForOne(plurals, form);
  const rawsOf = ({ codes }: InlineText) => [...codes.values()].map(({ raw }) => raw).join('\0');
  return one && (only || rawsOf(singular) === rawsOf(several)) ? singular : several;
}

/** A string as lines of a PO file. */
function fieldLines(keyword: string, text: string, newline: string): string {
  const lines = text.split(/(?<=\n)/);
  if (lines.length < 2) return `${keyword} ${quotePo(text)}${newline}`;
  return [`${keyword} ""`, ...lines.map(quotePo)].map((line) => line + newline).join('');
}

/** The text that gettext needs: it starts and ends with a line break exactly if the source does. */
function withLineBreaks(text: string, source: string): string {
  const inner = text.replace(/^\n+|\n+$/g, '');
  return `${/^\n*/.exec(source)?.[0]}${inner}${/\n*$/.exec(source)?.[0]}`;
}

/** Parses a catalog. */
export const parsePoDocument: ParseDocument = (text, name) => {
  const { entries, plurals, newline } = parsePo(text, name);
  const unitOf = (entry: PoEntry): DocumentUnit => {
    const sources = entry.translations.map((_, form) => sourceOf(entry, plurals, form));
    const segments = entry.translations.map(({ text: given }, form) => ({
      source: sources[form] as InlineText,
      isTranslated: given !== '',
      target: given || undefined,
    }));
    const edits = (translations: readonly (SegmentTranslation | undefined)[]): Edit[] => {
      const given = translations.filter((translation) => translation !== undefined);
      if (given.length === 0) return [];
      const needsReview = given.some(({ origin }) => origin !== 'exact');
      const isFuzzy = entry.flags.has('fuzzy');
      const isConfirmed = !needsReview && given.length === segments.length;
      const flag =
        needsReview && !isFuzzy
          ? flagEdit(text, entry, newline)
          : isConfirmed && isFuzzy
            ? withoutFuzzy(text, entry)
            : [];
      const strings = entry.translations.flatMap(({ start, end }, form): Edit[] => {
        const translation = translations[form];
        if (!translation) return [];
        const keyword = entry.plural === undefined ? 'msgstr' : `msgstr[${form}]`;
        const { codes } = sources[form] as InlineText;
        const id = entry.plural === undefined ? entry.id : entry.plural;
        const value = withLineBreaks(renderText(translation.text, codes), id);
        const isLast = end === text.length && !text.endsWith('\n');
        const lines = fieldLines(keyword, value, newline);
        return [{ start, end, text: isLast ? lines.slice(0, -newline.length) : lines }];
      });
      return [...flag, ...strings];
    };
    const line = text.slice(0, entry.keywords).split('\n').length;
    return { name: `line ${line}`, line, segments, edits };
  };
  return { text, units: entries.filter(({ id }) => id !== '').map(unitOf) };
};

/** Adds the flag fuzzy: to the line of flags, or as a line of its own. */
function flagEdit(text: string, { flagLine, flagPlace }: PoEntry, newline: string): Edit[] {
  if (!flagLine) return [{ start: flagPlace, end: flagPlace, text: `#, fuzzy${newline}` }];
  const at = text.indexOf('#,', flagLine.start) + 2;
  return [{ start: at, end: at, text: ' fuzzy,' }];
}

/** Removes the flag fuzzy, and the line of flags if there is no other. */
function withoutFuzzy(text: string, { flagLine }: PoEntry): Edit[] {
  if (!flagLine) return [];
  const { start, end } = flagLine;
  const line = text.slice(start, end);
  const others = line.replace(/,[ \t]*fuzzy\b/, '');
  return [{ start, end, text: /^\s*#\s*$/.test(others) ? '' : others }];
}
