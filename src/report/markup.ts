// HTML from templates in which every value is escaped: text from anywhere can stand in a page and never become markup.

/** Markup that is safe to stand in a page as it is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }

  toString(): string {
    return this.markup;
  }
}

/** What a template takes: text and numbers are escaped, markup stands as it is, lists are put together, the rest is nothing. */
export type Part = string | number | Html | readonly Part[] | false | null | undefined;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Control characters, which no page may hold, and halves of surrogate pairs, which UTF-8 cannot. */
const unprintable = /(?![\t\n\r])[\p{Cc}\p{Cs}]/gu;

/** Text as it stands between tags or in a quoted attribute; what no page may hold is U+FFFD. */
export const escapeHtml = (text: string): string =>
  text.replace(unprintable, '\ufffd').replace(/[&<>"'`]/g, (c) => entities[c] as string);

/** Template for markup: html`<td>${text}</td>`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const out = strings.map((string, i) => string + (i < parts.length ? show(parts[i]) : ''));
  return new Html(out.join(''));
}

function show(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  if (part === false || part === null || part === undefined) return '';
  return part.map(show).join('');
}
