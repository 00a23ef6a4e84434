// Plural-Forms of gettext: a C expression of n that gives the index of the plural form. It is parsed, never run
// as a program.

/** Plural forms of a language: their number, and the form of a number. */
export interface PluralForms {
  readonly count: number;
  indexOf(n: number): number;
}

/** The forms of English, also those of a file without the field. */
export const defaultPlurals: PluralForms = { count: 2, indexOf: (n) => (n === 1 ? 0 : 1) };

type Expression = (n: number) => number;

/** Binary operators by precedence, loosest first. */
const operators: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
];

/** A parser of one expression; undefined is an expression that is not valid. */
class PluralParser {
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = text.match(/\d+|n|\|\||&&|[=!<>]=|[-+*/%<>!?:()]|\S/g) ?? [];
  }

  whole(): Expression | undefined {
    const found = this.#choice();
    return this.#at === this.#tokens.length ? found : undefined;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #choice(): Expression | undefined {
    if (++this.#depth > 64) return undefined;
    const condition = this.#binary(0);
    if (!condition || !this.#take('?')) {
      this.#depth--;
      return condition;
    }
    const yes = this.#choice();
    if (!this.#take(':')) return undefined;
    const no = this.#choice();
    this.#depth--;
    return yes && no && ((n) => (condition(n) !== 0 ? yes(n) : no(n)));
  }

  #binary(level: number): Expression | undefined {
    const table = operators[level];
    if (!table) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = Object.keys(table).find((name) => this.#take(name));
      if (!operator || !left) return left;
      const [a, b, apply] = [left, this.#binary(level + 1), table[operator]];
      left = b && apply && ((n) => apply(a(n), b(n)));
    }
  }

  #unary(): Expression | undefined {
    if (this.#take('!')) {
      const inner = this.#unary();
      return inner && ((n) => Number(inner(n) === 0));
    }
    if (this.#take('(')) {
      const inner = this.#choice();
      return this.#take(')') ? inner : undefined;
    }
    if (this.#take('n')) return (n) => n;
    const number = this.#tokens[this.#at] ?? '';
    if (!/^\d{1,9}$/.test(number)) return undefined;
    this.#at++;
    return () => Number(number);
  }
}

/**
 * Parses the value of Plural-Forms, `nplurals=2; plural=(n != 1);`; undefined if it is missing or not valid, as
 * in a template.
 */
export function parsePluralForms(value: string): PluralForms | undefined {
  const count = Number(/\bnplurals\s*=\s*(\d{1,2})\s*;/.exec(value)?.[1]);
  const expression = /\bplural\s*=([^;]*)/.exec(value)?.[1];
  const indexOf = expression === undefined ? undefined : new PluralParser(expression).whole();
  if (!(count >= 1) || !indexOf) return undefined;
  const bounded = (n: number) => {
    const index = indexOf(n);
    return index >= 0 && index < count ? index : 0;
  };
  return { count, indexOf: bounded };
}

/**
 * Whether form `index` is for the number 1, and for no other number up to 1,000. The singular of a source is then
 * its text; else its plural is, unless both have the same codes.
 */
export function isForOne({ indexOf }: PluralForms, index: number): { one: boolean; only: boolean } {
  const one = indexOf(1) === index;
  let only = one;
  for (let n = 0; only && n <= 1000; n++) if (n !== 1 && indexOf(n) === index) only = false;
  return { one, only };
}
