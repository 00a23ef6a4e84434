// The attributes of HTML whose values are text: those that the standard lists as translatable (HTML, section
// 3.2.6.2, the attribute `translate`) and that people read, and the labels of WAI-ARIA.

/** Attributes that are text, by name, with the tags that have them; none: all tags. */
const textAttributes: ReadonlyMap<string, readonly string[]> = new Map([
  ['title', []],
  ['alt', ['img', 'area', 'input']],
  ['placeholder', ['input', 'textarea']],
  ['label', ['optgroup', 'option', 'track', 'menuitem']],
  ['abbr', ['th', 'td']],
  ['summary', ['table']],
  ['aria-label', []],
  ['aria-description', []],
  ['aria-placeholder', []],
  ['aria-roledescription', []],
  ['aria-valuetext', []],
]);

/** Buttons whose text is their value. */
const buttons = /^(?:button|submit|reset)$/i;

/** Metadata that are text: of HTML, Open Graph and Twitter cards. */
const metadata =
  /^(?:description|keywords|application-name|apple-mobile-web-app-title|og:title|og:description|og:site_name|og:image:alt|twitter:title|twitter:description|twitter:image:alt)$/i;

/** Whether an attribute of a tag is text to translate. `attributes`: all those of the tag. */
export function isTextAttribute(
  tag: string,
  name: string,
  attributes: Readonly<Record<string, string>>,
): boolean {
  if (name === 'value') return tag === 'input' && buttons.test(attributes.type ?? '');
  if (name === 'content')
    return tag === 'meta' && metadata.test(attributes.name ?? attributes.property ?? '');
  const tags = textAttributes.get(name);
  return tags !== undefined && (tags.length === 0 || tags.includes(tag));
}
