// A lesson: model, sentence and the values of the controls (layer, head, temperature and others), as the query of the
// page's address. The chapter is its hash.

/**
 * The sentence of a page without a link: one on which the first model hesitates, between “madrugada” (62 %) and
 * “mañana” (37 %), 1.15 bits. Of 378 sentences of its corpus it translates only one other right with a token of as
 * many bits.
 */
export const firstSentence = '12:08 in the morning';

/** What a link to a lesson fixes. */
export interface Lesson {
  /** Name of the model, if the link has one. */
  readonly model?: string;
  readonly text?: string;
  /** Values of controls by name. */
  readonly values: ReadonlyMap<string, number>;
}

/** Reads the query of an address; parameters that are no lesson's are ignored. */
export function readLesson(query: string): Lesson {
  const { model, text, ...rest } = Object.fromEntries(new URLSearchParams(query));
  const numbers = Object.entries(rest).map(([name, value]) => [name, Number(value || Number.NaN)] as const);
  return { model, text, values: new Map(numbers.filter(([, value]) => Number.isFinite(value))) };
}

/** The query of a lesson. */
export function lessonQuery({ model, text, values }: Lesson): string {
  const query = new URLSearchParams();
  if (model !== undefined) query.set('model', model);
  if (text !== undefined) query.set('text', text);
  for (const [name, value] of values) query.set(name, String(value));
  return `?${query}`;
}
