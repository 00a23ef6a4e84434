// HTML templates in which every value is escaped.

/** Markup that is inserted without escaping. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/**
 * A template value: text and numbers are escaped, markup is inserted as it is, lists are joined, other values
 * are empty.
 */
export type Part = string | number | Html | readonly Part[] | false | null | undefined;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/**
 * Control characters, which HTML does not allow, lone surrogates, which UTF-8 does not, and marks that turn a line
 * around.
 */
const unprintable = /(?![\t\n\r])[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

/** Escapes text for an element or a quoted attribute; characters that HTML does not allow become U+FFFD. */
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
