// Vite plugin that removes line breaks and indentation from the templates of the pages: they are in the source
// for readers. Without it each becomes a text node between elements.

import { RolldownMagicString } from 'rolldown';
import { type Plugin, parseAst } from 'vite';

/**
 * One text of a template without line breaks and indentation: nothing at a tag and between two expressions,
 * else a space. `isFirst` and `isLast`: whether the template begins and ends with it.
 */
export function shortText(text: string, isFirst: boolean, isLast: boolean): string {
  return text.replaceAll(/\s*\n\s*/g, (run, at: number) => {
    const before = text[at - 1];
    const after = text[at + run.length];
    if (before === undefined && (isFirst || after === undefined)) return '';
    if (after === undefined && isLast) return '';
    return before === '>' || after === '<' || after === '>' ? '' : ' ';
  });
}

/** The plugin: shortens the templates of lit-html (`html` and `svg`) in demo/. */
export const shortTemplates: Plugin = {
  name: 'heddle:short-templates',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/demo\/.*\.ts$/.test(id) || !code.includes('html`')) return undefined;
    const short = new RolldownMagicString(code);
    for (const { start, text, isFirst, isLast } of templateTexts(code)) {
      const changed = shortText(text, isFirst, isLast);
      if (changed === text) continue;
      if (changed === '') short.remove(start, start + text.length);
      else short.overwrite(start, start + text.length, changed);
    }
    return { code: short.toString(), map: short.generateMap({ hires: true }).toString() };
  },
};

/** A text of a template and its place in the source. */
interface TemplateText {
  readonly start: number;
  readonly text: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** The texts of all templates in a source. */
const templateTexts = (code: string): TemplateText[] =>
  nodesOf(code, 'TaggedTemplateExpression').flatMap((node) => textsOf(code, node as unknown as Tagged));

/** The nodes of some kinds in the syntax tree of a source. */
export function nodesOf(code: string, ...types: readonly string[]): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as Record<string, unknown>;
    if (types.includes(node.type as string)) found.push(node);
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(code, { lang: 'ts' }));
  return found;
}

/** A tagged template in the syntax tree. */
export interface Tagged {
  readonly tag: { readonly name?: string };
  readonly quasi: {
    readonly quasis: readonly {
      readonly start: number;
      readonly value: { readonly raw: string; readonly cooked: string };
    }[];
  };
}

function textsOf(code: string, { tag, quasi }: Tagged): TemplateText[] {
  if (tag.name !== 'html' && tag.name !== 'svg') return [];
  const { quasis } = quasi;
  return quasis.map(({ start, value }, i) => ({
    start: code.indexOf(value.raw, start), // a parser may count the delimiters to the text
    text: value.raw,
    isFirst: i === 0,
    isLast: i === quasis.length - 1,
  }));
}
