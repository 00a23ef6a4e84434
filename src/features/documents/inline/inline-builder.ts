// Builds the text of a segment with inline elements: each element becomes a placeholder. Elements with the same
// key in source and target get the same placeholder.

import { type CodeKind, maxCodes, placeholderOf } from '../../../text/placeholders.ts';

/** Numbers of the codes of a unit, by their keys; source and target share them. */
export class CodeNumbers {
  readonly #numbers = new Map<string, number>();

  /** The number of a key: the next one if it is new. */
  of(key: string): number {
    const known = this.#numbers.get(key) ?? Math.min(this.#numbers.size, maxCodes - 1);
    this.#numbers.set(key, known);
    return known;
  }
}

/** Collects the text of a side of a unit. */
export class InlineBuilder {
  readonly #numbers: CodeNumbers;
  #parts: string[] = [];
  #unnamed = 0;

  constructor(numbers: CodeNumbers) {
    this.#numbers = numbers;
  }

  /** Adds text; private-use characters are dropped, since they would count as placeholders. */
  text(text: string): void {
    this.#parts.push(text.replace(/[\ue000-\uf8ff]/g, ''));
  }

  /** Adds a code. `key`: what identifies it, as an id; a code without one is known by its place. */
  code(kind: CodeKind, key: string | undefined): void {
    this.#parts.push(placeholderOf(kind, this.#numbers.of(key ?? `#${this.#unnamed++}`)));
  }

  /** The text so far. */
  toString(): string {
    return this.#parts.join('');
  }
}
