// Codes survive any translation: each exactly once, in a valid nesting.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyCodes, codesIn } from '../../../src/features/documents/inline/code-patterns.ts';
import { inlineText, keepsCodes, renderText } from '../../../src/features/documents/inline/inline-text.ts';
import { type SentenceModel, translateSegments } from '../../../src/features/documents/translate-segments.ts';
import { createTokenizer, specialTokens } from '../../../src/text/tokenizers/tokenizer.ts';
import { fakeModel } from '../../support/fake-sentence-model.ts';

const cFormat = { flags: new Set(['c-format']) };

/** The translation of a text with its codes as text. */
async function translated(text: string, translate: (text: string) => string, pattern = anyCodes) {
  const [found] = await translateSegments(fakeModel(translate), [inlineText(text, pattern)]);
  return `${renderText(found?.text ?? '', inlineText(text, pattern).codes)} (${found?.method})`;
}

const upper = (text: string) => text.toUpperCase();
const reversed = (text: string) => text.split(' ').reverse().join(' ');

it('finds tags, entities, URLs and placeholders of programs', () => {
  const rawsOf = (text: string, pattern = anyCodes) => codesIn(text, pattern).map(({ raw }) => raw);
  const text =
    '<b>a</b> <br/> <a href="x y">{name} {0} %1$s %(count)d %s 100% sure &nbsp; https://a.org/b?c=d. me@a.org $HOME$(x) {{ user.name }} { not code }';
  expect(rawsOf(text)).toEqual([
    '<b>', '</b>', '<br/>', '<a href="x y">', '{name}', '{0}', '%1$s', '%(count)d', '%s', '&nbsp;',
    'https://a.org/b?c=d', 'me@a.org', '$(x)', '{{ user.name }}',
  ]); // biome-ignore format: a list
  expect(rawsOf('{n, plural, one {# file} other {{x} files}} deleted')).toEqual([
    '{n, plural, one {# file} other {{x} files}}',
  ]);
  expect(rawsOf('%-5.2f%% of %*d % d', cFormat)).toEqual(['%-5.2f', '%%', '%*d', '% d']);
});

it('keeps codes that the model copies, and places those that it does not', async () => {
  expect(await translated('Delete %s now.', (t) => t.replace('Delete', 'Borrar').replace('now', 'ya'))).toBe(
    'Borrar %s ya. (codes copied)',
  );
  expect(await translated('one two <b>three four</b> five', upper)).toBe(
    'ONE TWO <b>THREE FOUR</b> FIVE (codes copied)',
  );
  expect(await translated('one <b>two <i>three</i></b> four', reversed)).toBe(
    'four <b><i>three</i> two</b> one (codes copied)',
  );
  const loses = (text: string) => upper(text.replace('%s', ''));
  expect(await translated('one %s two', loses)).toBe('ONE %s TWO (codes placed)');
});

it('translates the lines between line breaks of HTML on their own, unless a sentence goes on', async () => {
  const backwards = (text: string) => text.split(' ').reverse().join(' ');
  expect(await translated('see <b>this</b> page<br />Things are <i>stable</i>.', backwards)).toBe(
    'page <b>this</b> see<br /><i>stable</i>. are Things (codes copied)',
  );
  expect(await translated('the first line of a sentence that goes<br>on here', upper)).toBe(
    'THE FIRST LINE OF A SENTENCE THAT GOES<br>ON HERE (codes placed)',
  );
});

it('keeps what touches a code, and lets it touch no word that the source does not have there', async () => {
  const spanish = (text: string) =>
    text
      .split(' ')
      .map((word) => ({ of: 'de la', Portrait: 'Retrato', file: 'archivo', named: 'llamado' })[word] ?? word)
      .join(' ');
  expect(await translated('(%d of %d)', spanish)).toBe('(%d de la %d) (codes copied)');
  const glued = (text: string) => spanish(text).replace(/\s*[(“]?%[sd][)”]?\s*/g, '%s');
  for (const pattern of [anyCodes, cFormat]) {
    expect(await translated('%s, Portrait (%s)', glued, pattern)).toBe('%s, Retrato (%s) (codes placed)');
    expect(await translated('(%s of %s)', glued, pattern)).toBe('(%s de la %s) (codes placed)');
    expect(await translated('file named “%s”', glued, pattern)).toBe('archivo llamado “%s” (codes placed)');
  }
  const apart = (text: string) => spanish(text.replaceAll('<br>', ' <br> '));
  expect(await translated('file<br>named', apart)).toBe('archivo<br>llamado (translated)');
  expect(await translated('<v Bob>file of</v>', (text) => `${spanish(text)} `)).toBe(
    '<v Bob>archivo de la</v> (codes copied)',
  );
});

it('translates a text that is too long in parts, and leaves no segment with words empty', async () => {
  const short = (text: string) => (text.split(' ').length > 2 ? '' : upper(text));
  expect(await translated('one two, three %s four five <b>six seven</b>', short)).toBe(
    'ONE TWO, THREE %s FOUR FIVE <b>SIX SEVEN</b> (codes placed)',
  );
});

it('takes another translation if the best one has no words', async () => {
  const model = fakeModel((text) => (/^set/i.test(text) ? ' ' : upper(text)));
  const searching: SentenceModel = {
    ...model,
    async generate(texts, options) {
      const found = await model.generate(texts, options);
      return options?.numReturn === undefined
        ? found
        : found.map(([best]) => (best ? [best, { ...best, text: 'SEARCHED' }] : []));
    },
  };
  const texts = ['set', 'Set it. Other words.', '...'];
  const segments = texts.map((text) => inlineText(text, anyCodes));
  const made = await translateSegments(searching, segments);
  expect(made.map(({ text }, i) => renderText(text, segments[i]?.codes ?? new Map()))).toEqual([
    'SEARCHED',
    'SEARCHED IT. OTHER WORDS.',
    '...',
  ]);
  // Whoever samples, or takes several translations, gets what he asks for.
  const [sampled] = await translateSegments(searching, [inlineText('set', anyCodes)], { method: 'sample' });
  expect(sampled?.method).toBe('not translated');
});

it('asks for placeholders of a vocabulary that has them, numbered from 0', async () => {
  const asked: unknown[] = [];
  const known = ['\ue000', '\ue001', '\ue802', '\uf002'];
  const tokenizer = createTokenizer({
    kind: 'char',
    lowercase: false,
    merges: [],
    vocab: [...specialTokens, ...known, ...'abcdefghijklmnopqrstuvwxyz .'],
  });
  const model: SentenceModel = {
    tokenizers: { source: tokenizer, target: tokenizer },
    async generate(texts, options) {
      asked.push([texts, options?.placeholders]);
      return texts.map((text) => [
        {
          text: text.replace('copy', 'copia').replace('to', 'a'),
          ids: [5],
          score: -1,
          logProb: -1,
          ended: true,
        },
      ]);
    },
  };
  const segment = inlineText('copy %s to %d. See {a} {b}, {c}', cFormat);
  const [found] = await translateSegments(model, [segment]);
  expect(renderText(found?.text ?? '', segment.codes)).toBe('copia %s a %d. See {a} {b}, {c}');
  // The second sentence has a placeholder more than the vocabulary, so that its codes are text.
  expect(asked).toEqual([
    [['copy \ue000 to \ue001.'], ['\ue000\ue001']],
    [['See {a} {b}, {c}'], undefined],
  ]);
});

it('keeps the order of codes of C', async () => {
  const text = 'copy %s to %d';
  expect(await translated(text, reversed, cFormat)).toMatch(/%s.*%d/);
});

it('copies what has no words, and leaves what the model cannot translate', async () => {
  expect(await translated('%s: %d', upper)).toBe('%s: %d (copied)');
  expect(await translated('one two', () => '')).toBe('one two (not translated)');
});

it('keeps codes whatever the model does', async () => {
  const piece = fc.constantFrom(
    'word', 'two words', ' ', '. Next', '\n', '%s', '%d', '%1$s', '<b>', '</b>', '<i>', '</i>', '<x id="1"/>', '{name}',
    '&nbsp;', 'https://a.b/c', '%', '<', '{', '}', '100%', 'é', '日本', '%%',
  ); // biome-ignore format: a list
  const texts = fc.array(piece, { maxLength: 12 }).map((all) => all.join(' '));
  await fc.assert(
    fc.asyncProperty(texts, texts, fc.boolean(), async (source, made, isC) => {
      const inline = inlineText(source, isC ? cFormat : anyCodes);
      const model: SentenceModel = fakeModel((text) =>
        text.length % 3 === 0 ? made : text.split(' ').reverse().join(' '),
      );
      const [found] = await translateSegments(model, [inline]);
      expect(keepsCodes(inline, found?.text ?? '')).toBe(true);
    }),
    { numRuns: 400 },
  );
});
