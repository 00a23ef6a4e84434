// The rules of heddle clean: what each drops and keeps.
import { expect, it } from 'vitest';
import {
  brokenRule,
  defaultLimits,
  type RuleName,
} from '../../../../src/features/corpora/clean/clean-rules.ts';
import { DuplicateFilter, pairKeys } from '../../../../src/features/corpora/clean/duplicate-filter.ts';
import { detectLanguage } from '../../../../src/text/language-detection.ts';
import { hasTatoeba, tatoebaSide } from '../../../support/text.ts';

const languages = { source: 'en', target: 'es' };
const test = (source: string, target: string, given = languages) =>
  brokenRule({ source, target }, defaultLimits, given);

const good = 'The house on the hill is old.';
const bueno = 'La casa en la colina es vieja.';

it.each<[RuleName, string, string]>([
  ['empty', '', bueno],
  ['empty', good, ''],
  ['control', 'The house\u0007 is old.', bueno],
  ['mojibake', good, 'El niÃ±o vive aquÃ\u00ad cerca.'],
  ['mojibake', 'Itâ€™s an old house.', bueno],
  ['mojibake', good, 'La casa est\ufffd en la colina.'],
  ['mojibake', good, 'ÐŸÑ€Ð¸Ð²ÐµÑ‚, Ð¼Ð¸Ñ€'],
  ['markup', 'The <b>house</b> on the hill is old.', bueno],
  ['markup', good, 'La casa &amp; la colina.'],
  ['markup', '<a href="x">The house</a> is old.', bueno],
  ['too-long', 'a b '.repeat(600), 'c d '.repeat(600)],
  ['too-many-words', 'a '.repeat(260), 'b '.repeat(260)],
  [
    'length-ratio',
    'Yes, I do.',
    'Sí, y además quisiera decirle que la casa en la colina es muy vieja y que nadie vive allí desde hace años, según dicen.',
  ],
  ['same-text', good, good],
  ['same-text', 'Hello my old friend', 'hello, my old friend!'],
  ['same-text', 'THE HOUSE IS OLD', 'THE HOUSE IS OLD'],
  ['letters', '+++ 12 34 === 56 78 ###', bueno],
  ['script', good, 'Дом на холме старый, и никто в нём не живёт.'],
  ['script', '丘の上の家は古いです。', bueno],
  ['urls', 'See https://example.org/a for the house.', 'Vea https://example.org/b para la casa.'],
  ['urls', 'See www.example.org for the house.', 'Vea la página para la casa.'],
  ['emails', 'Write to tom@example.org today.', 'Escriba a ana@example.org hoy.'],
  ['numbers', 'The house was built in 1950.', 'La casa se construyó en 1870.'],
  ['numbers', 'I have 3 dogs.', 'Tengo 5 perros.'],
  ['numbers', 'In 1998 he had 20 dogs.', 'En 1989 tenía 20 perros.'],
  ['punctuation', 'The house is old!!!!!!!!', bueno],
])('%s drops %j, %j', (rule, source, target) => {
  expect(test(source, target)).toBe(rule);
  expect(brokenRule({ source, target }, { ...defaultLimits, [rule]: 0 }, languages)).not.toBe(rule);
});

it.each([
  [good, bueno],
  ['Go.', '¡Váyase usted de aquí!'],
  ['No.', 'No.'],
  ['Taxi!', '¡Taxi!'],
  ['Madrid, Barcelona, Sevilla', 'Madrid, Barcelona, Sevilla'],
  ['F(x) = 2x + 1', 'F(x) = 2x + 1'],
  ['It costs 1,000 dollars.', 'Cuesta 1.000 dólares.'],
  ['I have 3 dogs.', 'Tengo tres perros.'],
  ['Well... I do not know...', 'Bueno... no sé...'],
  ['He wrote “À bientôt” and “Ñandú”.', 'Escribió «À bientôt» y «Ñandú».'],
  ['ÉCOLE PRIMAIRE “Ã”', 'ESCUELA PRIMARIA'],
  ['a < b and c > d', 'a < b y c > d'],
  ['See https://example.org.', 'Vea https://example.org'],
])('keeps %j, %j', (source, target) => {
  expect(test(source, target)).toBeUndefined();
});

it('keeps Japanese, Chinese, Arabic and Thai pairs', () => {
  expect(
    test('The house on the hill is old and nobody lives in it.', '丘の上の家は古く、誰も住んでいない。', {
      source: 'en',
      target: 'ja',
    }),
  ).toBeUndefined();
  expect(
    test('The house on the hill is old.', '山上的房子很旧。', { source: 'en', target: 'zh' }),
  ).toBeUndefined();
  expect(test('He was born in 1998.', 'وُلِد في عام ١٩٩٨.', { source: 'en', target: 'ar' })).toBeUndefined();
  expect(test('The house is old.', 'บ้านเก่า', { source: 'en', target: 'th' })).toBeUndefined();
});

it('finds duplicates, near duplicates and targets that occur too often', () => {
  const filter = new DuplicateFilter({ ...defaultLimits, 'duplicate-target': 3 });
  const add = (source: string, target: string) => filter.add(pairKeys({ source, target }, defaultLimits));
  expect(add(good, bueno)).toBeUndefined();
  expect(add(good, bueno)).toBe('duplicate-pair');
  expect(add(good.toUpperCase(), `${bueno}!`)).toBe('near-duplicate-pair');
  expect(add('Go.', 'Ve.')).toBeUndefined();
  expect(add('Go!', '¡Ve!')).toBeUndefined(); // too short for a near duplicate
  for (const source of ['a', 'b']) expect(add(source, bueno)).toBeUndefined();
  expect(add('c', bueno)).toBe('duplicate-target');
});

it.skipIf(!hasTatoeba)('drops nearly nothing of Tatoeba', () => {
  const [sources, targets] = [tatoebaSide(0), tatoebaSide(1)];
  const dropped = sources
    .slice(0, 3000)
    .filter((source, i) => test(source, targets[i] as string) !== undefined);
  expect(dropped).toEqual([]);
});

const identified = { ...languages, detect: detectLanguage };

it.each([
  ['Je ne sais pas ce que tu veux de moi.', bueno],
  [good, 'Ich weiß nicht, was ich tun soll.'],
  [good, 'The house on the hill is very old.'],
  ['La casa en la colina es vieja.', 'Ela mora em uma casa antiga e muito grande.'],
])('language drops %j, %j', (source, target) => {
  expect(brokenRule({ source, target }, defaultLimits, identified)).toBe('language');
  expect(brokenRule({ source, target }, { ...defaultLimits, language: 0 }, identified)).toBe(undefined);
  // Without the languages of the sides nothing is tested.
  expect(brokenRule({ source, target }, defaultLimits, { detect: detectLanguage })).toBe(undefined);
});

it.each([
  ['Tom stood.', 'Tom pagó.'], // names and short texts are in many languages
  [good, bueno],
  ['Microsoft Windows XP', 'Microsoft Windows XP Service Pack'],
])('language keeps %j, %j', (source, target) =>
  expect(brokenRule({ source, target }, defaultLimits, identified)).toBe(undefined),
);

it.skipIf(!hasTatoeba)(
  'language drops at most 0.5 % of right texts, and finds 90 % of exchanged ones',
  () => {
    const [en, es] = [tatoebaSide(0), tatoebaSide(1)].map((texts) =>
      texts.filter((_, i) => i % 97 === 0),
    ) as [string[], string[]];
    const share = (pairs: (readonly [string, string])[]) =>
      pairs.filter(
        ([source, target]) => brokenRule({ source, target }, defaultLimits, identified) === 'language',
      ).length / pairs.length;
    expect(share(en.map((text, i) => [text, es[i] as string]))).toBeLessThan(0.005);
    expect(share(en.map((text, i) => [es[i] as string, text]))).toBeGreaterThan(0.9);
  },
);
