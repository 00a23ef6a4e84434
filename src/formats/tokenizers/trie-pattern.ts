// Regular expressions in the syntax that tokenizer.json and JavaScript share, made from lists of strings.

/** A node of a trie over code points. */
interface Node {
  readonly next: Map<string, Node>;
  ends: boolean;
}

/**
 * Escapes a code point for a pattern or a class; letters, digits and other characters above ASCII stay as
 * they are.
 */
const escaped = (character: string): string =>
  /^[\p{L}\p{M}\p{N}]$/u.test(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`;

/** A class of code points: `[a-cx]`; a single one as itself. `except`: the class of all others. */
export function classPattern(characters: Iterable<string>, except = false): string {
  const codes = [...new Set(Array.from(characters, (character) => character.codePointAt(0) as number))];
  codes.sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let from = 0; from < codes.length; ) {
    let to = from;
    while (codes[to + 1] === (codes[to] as number) + 1) to++;
    const ends = [codes[from], codes[to]].map((code) => escaped(String.fromCodePoint(code as number)));
    ranges.push(to === from ? `${ends[0]}` : to === from + 1 ? ends.join('') : ends.join('-'));
    from = to + 1;
  }
  return codes.length === 1 && !except ? (ranges[0] as string) : `[${except ? '^' : ''}${ranges.join('')}]`;
}

/**
 * A pattern that matches the longest of some strings. Strings with the same beginning share it, as in a trie.
 */
export function triePattern(strings: Iterable<string>): string {
  const root: Node = { next: new Map(), ends: false };
  for (const text of strings) {
    let node = root;
    for (const character of text) {
      let child = node.next.get(character);
      if (!child) {
        child = { next: new Map(), ends: false };
        node.next.set(character, child);
      }
      node = child;
    }
    node.ends = true;
  }
  const patternOf = ({ next, ends }: Node): string => {
    // Characters with the same continuations form a class.
    const groups = new Map<string, string[]>();
    for (const [character, child] of next) {
      const rest = patternOf(child);
      const group = groups.get(rest);
      if (group) group.push(character);
      else groups.set(rest, [character]);
    }
    const branches = [...groups].map(([rest, characters]) => classPattern(characters) + rest);
    if (branches.length === 0) return '';
    return ends
      ? `(?:${branches.join('|')})?`
      : branches.length > 1
        ? `(?:${branches.join('|')})`
        : `${branches[0]}`;
  };
  return patternOf(root);
}
