// createTranslator has the shape of the browser's built-in Translator API: the same program runs on both.
import { afterAll, describe, expect, it } from 'vitest';
import { createTranslator, translators } from '../../src/api/create-translator.ts';
import { Model } from '../../src/api/model.ts';
import { errorAbout } from '../support/expect-error.ts';
import { letterModel } from '../support/saved-model.ts';
import { testSession } from '../support/session.ts';

const model = new Model(letterModel(), testSession({ device: 'cpu' }), { ownsSession: true });
afterAll(() => model.dispose());

const languages = { sourceLanguage: 'en', targetLanguage: 'es' };

/** What a page knows of a translator of either kind. */
interface AnyTranslator {
  readonly sourceLanguage: string;
  readonly targetLanguage: string;
  readonly inputQuota: number;
  measureInputUsage(input: string, options?: { signal?: AbortSignal }): Promise<number>;
  translate(input: string, options?: { signal?: AbortSignal }): Promise<string>;
  translateStreaming(input: string, options?: { signal?: AbortSignal }): ReadableStream<string>;
  destroy(): void;
}
interface AnyFactory {
  create(
    options: typeof languages & { signal?: AbortSignal; monitor?: (monitor: EventTarget) => void },
  ): Promise<AnyTranslator>;
  availability(options: typeof languages): Promise<string>;
}

/** The built-in API as its explainer describes it. */
const builtIn: AnyFactory = {
  availability: async ({ targetLanguage }) => (targetLanguage === 'es' ? 'available' : 'unavailable'),
  async create({ signal, monitor, ...rest }) {
    signal?.throwIfAborted();
    if (rest.targetLanguage !== 'es') throw new DOMException('no model', 'NotSupportedError');
    const target = new EventTarget();
    monitor?.(target);
    for (const loaded of [0, 1])
      target.dispatchEvent(Object.assign(new Event('downloadprogress'), { loaded }));
    let isDestroyed = false;
    const check = (given?: AbortSignal) => {
      given?.throwIfAborted();
      if (isDestroyed) throw new DOMException('destroyed', 'InvalidStateError');
    };
    return {
      ...rest,
      inputQuota: Number.POSITIVE_INFINITY,
      async measureInputUsage(input, options) {
        check(options?.signal);
        return input.length;
      },
      async translate(input, options) {
        check(options?.signal);
        return input.toUpperCase();
      },
      translateStreaming: (input, options) =>
        new ReadableStream({
          start(controller) {
            try {
              check(options?.signal);
            } catch (error) {
              controller.error(error);
              return;
            }
            for (const piece of input.toUpperCase()) controller.enqueue(piece);
            controller.close();
          },
        }),
      destroy() {
        isDestroyed = true;
      },
    };
  },
};

/** The program of a page. */
async function program(factory: AnyFactory, text: string) {
  if ((await factory.availability(languages)) === 'unavailable') return undefined;
  const loaded: number[] = [];
  const translator = await factory.create({
    ...languages,
    monitor: (monitor) =>
      monitor.addEventListener('downloadprogress', (event) => loaded.push((event as ProgressEvent).loaded)),
  });
  const whole = await translator.translate(text);
  const reader = translator.translateStreaming(text).getReader();
  let streamed = '';
  for (let next = await reader.read(); !next.done; next = await reader.read()) streamed += next.value;
  const usage = await translator.measureInputUsage(text);
  const aborted = await translator
    .translate(text, { signal: AbortSignal.abort() })
    .catch((error: Error) => error.name);
  const fits = usage <= translator.inputQuota;
  translator.destroy();
  const destroyed = await translator.translate(text).catch((error: Error) => error.name);
  const { sourceLanguage, targetLanguage } = translator;
  return {
    loaded,
    isSame: whole === streamed,
    hasText: whole.length > 0,
    fits,
    aborted,
    destroyed,
    sourceLanguage,
    targetLanguage,
  };
}

describe.each([
  ['the built-in API', builtIn],
  ['models of heddle', translators({ 'en-es': model })],
] as const)('a program on %s', (_, factory) => {
  it('translates, streams, measures, aborts and ends alike', async () => {
    expect(await program(factory, 'abc. cab')).toEqual({
      loaded: [0, 1],
      isSame: true,
      hasText: true,
      fits: true,
      aborted: 'AbortError',
      destroyed: 'InvalidStateError',
      ...languages,
    });
  });

  it('says what it does not have', async () => {
    const other = { ...languages, targetLanguage: 'xx' };
    expect(await factory.availability(other)).toBe('unavailable');
    await expect(factory.create(other)).rejects.toMatchObject({ name: 'NotSupportedError' });
    await expect(factory.create({ ...languages, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

it('keeps white space, takes texts of any length, and leaves a given model open', async () => {
  const translator = await createTranslator({ ...languages, model });
  expect(await translator.translate('  \n ')).toBe('  \n ');
  expect(await translator.translate(' abc\n')).toMatch(/^ .*\n$/s);
  const words = 'abc '.repeat(40).trim();
  expect((await translator.translate(words)).length).toBeGreaterThan(10);
  translator.destroy();
  expect(await model.translate('abc')).toEqual(expect.any(String));
});

it('ends with its block', async () => {
  for (const dispose of [Symbol.dispose, Symbol.asyncDispose] as const) {
    const translator = await createTranslator({ ...languages, model });
    await translator[dispose]();
    await translator[dispose]();
    await expect(translator.translate('abc')).rejects.toMatchObject({ name: 'InvalidStateError' });
  }
  expect(await model.translate('abc')).toEqual(expect.any(String));
});

it('refuses what is no language tag', async () => {
  const given = { sourceLanguage: 'xx-invalid-!!', targetLanguage: 'es', model };
  const values = ['sourceLanguage', given.sourceLanguage];
  await expect(createTranslator(given)).rejects.toThrow(errorAbout({ area: 'createTranslator', values }));
});
