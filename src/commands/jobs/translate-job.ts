// heddle translate: translates texts with a saved model.

import { openFolder } from '../../api/load-model.ts';
import type { Model } from '../../api/model.ts';
import { check } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import type { Attention } from '../../decode/alignment.ts';
import { describeLong } from '../../decode/source-texts.ts';
import type { GenerateOptions, Generation, LongText } from '../../decode/text-options.ts';
import { growsPositions } from '../../model/positions.ts';
import type { Job } from '../../session/job.ts';
import type { Session } from '../../session/session.ts';
import { toSingleLine } from '../../text/corpus/pairs.ts';
import type { ModelArguments } from './model-arguments.ts';

/** Arguments of the job; plain JSON. */
export interface TranslateArguments extends ModelArguments {
  /**
   * The texts. If undefined, they come from the session's input, and each group is emitted as
   * `TranslatedTexts`.
   */
  readonly texts?: readonly string[];
  /**
   * Options of `Model.generate`. For the session's input, `longTexts: 'error'` gives a warning for each text.
   */
  readonly options?: Omit<GenerateOptions, 'onProgress' | 'onPiece' | 'onLongText' | 'signal'>;
  /** Phrases that every translation contains. */
  readonly phrases?: readonly string[];
  /**
   * Whether to emit each token of the best translations when it is decoded: one text after the other, a line
   * each.
   */
  readonly stream?: boolean;
}

/** A translation; plain JSON. */
export interface Translated extends Omit<Generation, 'attention'> {
  readonly attention?: NestedAttention;
}

/** The cross-attention of a text and its translation; see `Attention`. */
export interface NestedAttention extends Pick<Attention, 'source' | 'target'> {
  /** Probabilities [layers][heads][T][S]. */
  readonly weights: readonly (readonly (readonly (readonly number[])[])[])[];
}

/** Consecutive translations that a job emits; plain JSON. */
export interface TranslatedTexts {
  /** Index of the first text. */
  readonly first: number;
  /** Translations of each text, best first; none for a text that is empty or too long. */
  readonly translations: readonly Translated[][];
  /** Number of texts that are too long, if that is an error. */
  readonly failed: number;
}

/**
 * The translations of each text, best first; an empty text has none. Before decoding it throws a HeddleError
 * for a text that is too long or an invalid option. Throws the signal's reason if it is aborted.
 */
export const translate: Job<TranslateArguments, Translated[][]> = async (args, session) => {
  const { texts, options: { longTexts = 'error' } = {} } = args;
  const model = await openFolder(args.folder, session, args);
  try {
    const generate = translatorOf(model, args, session);
    if (texts) return await generate(texts, 0, { longTexts });
    await translateInput(generate, longTexts, session);
    return [];
  } finally {
    model.dispose();
  }
};

/** Translates texts, the first of which has the index `first`. */
type Translate = (
  inputs: readonly string[],
  first: number,
  long: Pick<GenerateOptions, 'longTexts' | 'onLongText'>,
) => Promise<Translated[][]>;

/** A function that translates with the options of a job, and emits pieces and progress. */
function translatorOf(model: Model, args: TranslateArguments, { emit, signal }: Session): Translate {
  const { texts, options = {}, stream = false } = args;
  const { maxNewTokens } = options;
  const maxLength = growsPositions(model.config) ? Number.POSITIVE_INFINITY : model.config.maxLength;
  if (maxNewTokens !== undefined && maxNewTokens > maxLength)
    emit({
      type: 'warning',
      text: msg`${option('maxNewTokens')} is ${maxNewTokens}, but the model has ${maxLength} positions: a translation ends there`,
    });
  const begin = performance.now();
  let [line, decoded] = [0, 0];
  const endLines = (text: number) => {
    for (; line < text; line++) emit({ type: 'piece', text: '\n' });
  };
  return async (inputs, first, long) => {
    const generations = await model.generate(inputs, {
      ...options,
      ...long,
      phrases: args.phrases && inputs.map(() => args.phrases as readonly string[]),
      maxNewTokens: maxNewTokens && Math.min(maxNewTokens, maxLength),
      firstText: decoded,
      signal,
      onProgress(done, total) {
        // In the first seconds the translations show the progress.
        if (!texts && performance.now() - begin < 5000) return;
        emit({
          type: 'progress',
          task: 'translate',
          done: first + done,
          total: texts ? total : 0,
          text: 'sentences',
        });
      },
      onPiece: stream
        ? ({ text }, index) => {
            endLines(first + index);
            emit({ type: 'piece', text: toSingleLine(text) });
          }
        : undefined,
    });
    if (stream) endLines(first + inputs.length);
    decoded += generations.filter((all) => all.length > 0).length;
    return generations.map((all) =>
      all.map(({ attention, ...translation }) => ({
        ...translation,
        attention: attention && nested(attention),
      })),
    );
  };
}

/** Translates the groups of texts of the session's input, and emits each as `TranslatedTexts`, until it ends. */
async function translateInput(
  generate: Translate,
  longTexts: NonNullable<GenerateOptions['longTexts']>,
  { input, emit, signal }: Session,
): Promise<void> {
  check(input, 'there are no texts', { area: 'translate' });
  await generate([], 0, { longTexts }); // an invalid option fails before the first text is read
  const isError = longTexts === 'error';
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener('abort', () => resolve(undefined)),
  );
  const next = () => Promise.race([input(), aborted]);
  let [first, nulTexts, firstNul] = [0, 0, 0];
  for (let inputs = await next(); inputs && !signal.aborted; inputs = await next()) {
    for (const [i, text] of inputs.entries())
      if (text.includes('\0') && nulTexts++ === 0) firstNul = first + i + 1;
    let failed = 0;
    const onLongText = (text: LongText) => {
      if (isError) failed++;
      const hint = isError ? ', or use --long-texts crop or skip' : '';
      const message = msg`${describeLong(first + text.index + 1, text)}${hint}; it is not translated`;
      emit({ type: 'warning', text: message });
    };
    const translations = await generate(inputs, first, {
      longTexts: isError ? 'skip' : longTexts,
      onLongText,
    });
    emit({ type: 'result', value: { first, translations, failed } satisfies TranslatedTexts });
    first += inputs.length;
  }
  if (nulTexts > 0)
    emit({
      type: 'warning',
      text: msg`NUL bytes in ${nulTexts} of ${first} texts, the first is text ${firstNul}`,
    });
}

function nested({ source, target, layers, heads, weights }: Attention): NestedAttention {
  const [S, T] = [source.length, target.length];
  const parts = <X>(n: number, part: (i: number) => X): X[] => Array.from({ length: n }, (_, i) => part(i));
  const row = (at: number) => parts(S, (s) => Number((weights[at * S + s] as number).toPrecision(6)));
  return {
    source,
    target,
    weights: parts(layers, (n) => parts(heads, (h) => parts(T, (t) => row((n * heads + h) * T + t)))),
  };
}
