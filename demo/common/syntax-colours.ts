// Colours of code by CSS highlights: ranges of a text node get a name, and the style sheet has a colour for each name. The
// text stays one node. Browsers without CSS highlights show it in one colour.

/** Kinds of tokens, which are the names of the highlights. */
const kinds = ['comment', 'string', 'number', 'keyword'] as const;
type Kind = (typeof kinds)[number];

/** Words of JavaScript and of WGSL. */
const keywords =
  'alias as async await break case catch class const const_assert continue continuing default diagnostic discard do else ' +
  'enable export extends false finally fn for from function if import in let loop new null of override requires return ' +
  'static struct switch this throw true try typeof undefined var while yield';

const token = new RegExp(
  [
    String.raw`(?<comment>\/\/.*|\/\*[\s\S]*?(?:\*\/|$))`,
    String.raw`(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\[\s\S])*\x60)`,
    String.raw`(?<number>\b\d[\w.]*)`,
    String.raw`(?<keyword>(?<![.\w@$])(?:${keywords.replaceAll(' ', '|')})\b(?!\s*:))`,
  ].join('|'),
  'g',
);

/** The coloured tokens of a program, in order. */
export function colouredTokens(text: string): { kind: Kind; start: number; end: number }[] {
  return [...text.matchAll(token)].flatMap(({ index, 0: found, groups }) => {
    const kind = kinds.find((name) => groups?.[name] !== undefined);
    return kind ? [{ kind, start: index, end: index + found.length }] : [];
  });
}

/** Whether this browser has CSS highlights. */
export const canColour = (): boolean => typeof Highlight === 'function' && 'highlights' in CSS;

/** The ranges of each text node, which its next colouring replaces. */
const coloured = new WeakMap<Text, readonly (readonly [Kind, Range])[]>();

/** Colours a text node. */
export function colourText(node: Text): void {
  for (const [kind, range] of coloured.get(node) ?? []) CSS.highlights.get(`code-${kind}`)?.delete(range);
  const ranges = colouredTokens(node.data).map(({ kind, start, end }) => {
    const range = new StaticRange({
      startContainer: node,
      startOffset: start,
      endContainer: node,
      endOffset: end,
    });
    return [kind, range as unknown as Range] as const;
  });
  coloured.set(node, ranges);
  for (const [kind, range] of ranges) {
    const name = `code-${kind}`;
    const highlight = CSS.highlights.get(name) ?? new Highlight();
    highlight.add(range);
    CSS.highlights.set(name, highlight);
  }
}
