// The texts of markup: of the templates of lit-html, and of the HTML files. A text is what is between two tags of
// blocks; tags inside a sentence belong to it. An expression of a template is a placeholder.

/** A text of markup, and its place. */
export interface MarkupText {
  readonly start: number;
  readonly end: number;
  /** The English text: `{0}` is its first expression; tags have no attributes, `Press <b>Start</b>`. */
  readonly key: string;
  /** The expressions of the text, as `hole` writes them. */
  readonly holes: readonly string[];
  /** The tags of the text with their attributes. */
  readonly tags: readonly Tag[];
  readonly isAttribute: boolean;
}

interface Tag {
  readonly kind: 'open' | 'close';
  readonly name: string;
  /** As it is in the markup. */
  readonly text: string;
}

/** A part of markup inside a block. */
type Part = (Tag | { readonly kind: 'text'; readonly text: string }) & { readonly at: number };

/** An expression of a template in its markup: characters for private use around its number. */
export const hole = (i: number): string => `\uE000${i}\uE001`;
const holes = /\uE000\d+\uE001/g;

const tags = /<!--[\s\S]*?-->|<![^>]*>|<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/g;
const attributes = /\s(?:title|aria-label|aria-description|placeholder|alt|data-label)="([^"]*)"/g;
/** Elements inside sentences. */
const inline = new Set([
  'a',
  'b',
  'i',
  'em',
  'strong',
  'code',
  'kbd',
  'samp',
  'sub',
  'sup',
  'span',
  'abbr',
  'small',
  'br',
  'wbr',
]);
/** Elements whose content is no text of a language if nothing is beside it. */
const codes = new Set(['code', 'kbd', 'samp']);

const hasLetters = (text: string): boolean => /\p{L}/u.test(text.replace(holes, ''));

/** The texts of markup in their order. Texts of attributes are in the tag of their element. */
export function markupTexts(markup: string): MarkupText[] {
  const found: MarkupText[] = [];
  let block: Part[] = [];
  let from = 0;
  const endBlock = () => {
    for (const run of balancedRuns(block)) collect(run, found);
    block = [];
  };
  for (const match of markup.matchAll(tags)) {
    const [text, slash = '', name = ''] = match;
    const at = match.index;
    if (at > from) block.push({ kind: 'text', text: markup.slice(from, at), at: from });
    from = at + text.length;
    collectAttributes(text, at, found);
    if (inline.has(name)) block.push({ kind: slash ? 'close' : 'open', name, text, at });
    else endBlock();
  }
  if (from < markup.length) block.push({ kind: 'text', text: markup.slice(from), at: from });
  endBlock();
  return found.sort((a, b) => a.start - b.start);
}

function collectAttributes(tag: string, at: number, found: MarkupText[]): void {
  for (const match of tag.matchAll(attributes)) {
    const [all, text = ''] = match;
    if (!hasLetters(text)) continue;
    const start = at + match.index + all.length - 1 - text.length;
    found.push(textOf([{ kind: 'text', text, at: start }], true));
  }
}

/** The parts of a block, split at tags whose other half is in another block. */
function balancedRuns(parts: readonly Part[]): Part[][] {
  const open: number[] = [];
  const matched = new Set<number>();
  parts.forEach((part, i) => {
    if (part.kind === 'open' && isVoid(part.name)) matched.add(i);
    else if (part.kind === 'open') open.push(i);
    else if (part.kind === 'close') {
      const start = open.pop();
      if (start !== undefined) matched.add(start).add(i);
    }
  });
  const runs: Part[][] = [[]];
  parts.forEach((part, i) => {
    if (part.kind === 'text' || matched.has(i)) runs.at(-1)?.push(part);
    else runs.push([]);
  });
  return runs;
}

const isVoid = (name: string): boolean => name === 'br' || name === 'wbr';

/** Adds the text of a run if it has words outside of its elements, else the texts of its elements. */
function collect(run: readonly Part[], found: MarkupText[]): void {
  let depth = 0;
  let start = 0;
  const inner: Part[][] = [];
  let hasWords = false;
  run.forEach((part, i) => {
    if (part.kind === 'text') hasWords ||= depth === 0 && hasLetters(part.text);
    else if (part.kind === 'close') {
      depth--;
      const outer = run[start];
      if (depth === 0 && outer?.kind === 'open' && !codes.has(outer.name))
        inner.push(run.slice(start + 1, i));
    } else if (!isVoid(part.name) && depth++ === 0) start = i;
  });
  if (hasWords) found.push(textOf(run, false));
  else for (const parts of inner) collect(parts, found);
}

function textOf(run: readonly Part[], isAttribute: boolean): MarkupText {
  const isBlank = (part: Part | undefined) => part?.kind === 'text' && part.text.trim() === '';
  let [first, last] = [0, run.length];
  while (isBlank(run[first])) first++;
  while (isBlank(run[last - 1])) last--;
  const parts = run.slice(first, last);
  const [head, tail] = [parts[0], parts.at(-1)];
  const text = parts.map((part) => (part.kind === 'text' ? part.text : bareTag(part))).join('');
  const found: string[] = [];
  const key = text.replace(holes, (each) => `{${found.push(each) - 1}}`);
  return {
    start:
      (head?.at ?? 0) +
      lengthOf(head) -
      (head?.kind === 'text' ? head.text.trimStart().length : lengthOf(head)),
    end: (tail?.at ?? 0) + (tail?.kind === 'text' ? tail.text.trimEnd().length : lengthOf(tail)),
    key: key.replaceAll(/\s+/g, ' ').trim(),
    holes: found,
    tags: parts.filter((part) => part.kind !== 'text'),
    isAttribute,
  };
}

const lengthOf = (part: Part | undefined): number => part?.text.length ?? 0;

/** A tag without its attributes. */
const bareTag = ({ kind, name }: Tag): string => `<${kind === 'close' ? '/' : ''}${name}>`;

/** Markup with its texts in another language; a text that `translate` does not know stays. */
export function translateMarkup(markup: string, translate: (key: string) => string | undefined): string {
  let translated = '';
  let from = 0;
  for (const text of markupTexts(markup)) {
    const said = translate(text.key);
    if (said === undefined) continue;
    translated += markup.slice(from, text.start) + filled(text, said);
    from = text.end;
  }
  return translated + markup.slice(from);
}

/** A translation with the tags and expressions of the text: the second `<b>` is the second one of the text. */
function filled(text: MarkupText, said: string): string {
  const left = [...text.tags];
  const withTags = said.replaceAll(/<\/?[a-z]+>/g, (bare) => {
    const at = left.findIndex((tag) => bareTag(tag) === bare);
    return left.splice(at, 1)[0]?.text ?? '';
  });
  const plain = text.isAttribute ? withTags.replaceAll('"', '&quot;') : withTags;
  return plain.replaceAll(/\{(\d+)\}/g, (_, i: string) => text.holes[Number(i)] ?? '');
}

/** A template in another language: its strings, and which value of the original is in each of its places. */
export interface TranslatedTemplate {
  readonly strings: TemplateStringsArray;
  readonly order: readonly number[];
}

/** Translates a template. */
export function translateTemplate(
  strings: readonly string[],
  translate: (key: string) => string | undefined,
): TranslatedTemplate {
  const markup = strings.map((text, i) => (i === 0 ? text : hole(i - 1) + text)).join('');
  const translated = translateMarkup(markup, translate);
  const texts = translated.split(holes);
  return {
    strings: Object.assign(texts, { raw: [...texts] }),
    order: (translated.match(holes) ?? []).map((each) => Number(each.slice(1, -1))),
  };
}
