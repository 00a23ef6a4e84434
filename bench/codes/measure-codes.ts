// Measures how translations keep the codes of real strings, and what that costs in BLEU: strings with
// placeholders of the gettext catalogs of this machine, in Spanish by default.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Model } from '../../src/api/model.ts';
import { anyCodes, codesIn } from '../../src/features/documents/inline/code-patterns.ts';
import { renderText } from '../../src/features/documents/inline/inline-text.ts';
import { pairWithPlaceholders } from '../../src/features/documents/inline/pair-codes.ts';
import { numberedText } from '../../src/features/documents/numbered-codes.ts';
import { type SentenceModel, translateSegments } from '../../src/features/documents/translate-segments.ts';
import { corpusBleu } from '../../src/text/metrics/bleu.ts';
import { type CatalogString, catalogStrings, faultyMessages, isValid } from './catalog-strings.ts';
import { measureCorrections } from './measure-corrections.ts';
import { measureGlossary } from './measure-glossary.ts';
import { measureOverhead } from './measure-overhead.ts';
import { measureSoftTerms } from './measure-soft-terms.ts';
import { measureTerms } from './measure-terms.ts';

const help = `npm run bench:codes -- --rebuild FOLDER   makes and measures the model of docs/translators.md
npm run bench:codes -- MODEL [--catalogs /usr/share/locale/es/LC_MESSAGES] [--strings 2000]
npm run bench:codes -- --train FOLDER   writes FOLDER/train.tsv: all other strings of the catalogs, with placeholders
npm run bench:codes -- MODEL --terms PAIRS.tsv   terms of a glossary in translations of the pairs
npm run bench:codes -- MODEL --terms PAIRS.tsv --lexicon TRAIN.tsv [--base BASE]   the same with soft terms
npm run bench:codes -- MODEL --glossary bench/codes/terms-en-es.tsv --terms PAIRS.tsv --strings 500   terms that the model has another word for
npm run bench:codes -- MODEL --corrections GENERAL.tsv   learning from 50 corrections of a catalog (--catalog FILE)
npm run bench:codes -- MODEL --overhead PAIRS.tsv   time beside the model for texts without codes and terms`;

/** A way of translating: the translation of each string with placeholders, empty if there is none. */
type Way = (strings: readonly CatalogString[]) => Promise<string[]>;

const shown = ({ source }: CatalogString, text: string): string => renderText(text, source.codes);

/** The ways that are compared. */
function waysOf(model: Model): Readonly<Record<string, Way>> {
  const free = (strings: readonly CatalogString[]): Promise<string[]> =>
    inParts(strings, async (some) => {
      const texts = some.map(({ source }) => numberedText(source, model.tokenizers));
      const found = await model.generate(
        texts.map((one) => one?.text.replace(/\s+/g, ' ').trim() ?? ''),
        { beams: 8, longTexts: 'skip' },
      );
      return some.map((_, i) => {
        const [own, text] = [texts[i]?.own, found[i]?.[0]?.text ?? ''];
        return text.replace(/[\ue000-\uf7ff]/g, (c) => own?.get(c) ?? '');
      });
    });
  const segments = (strings: readonly CatalogString[], sentences: SentenceModel): Promise<string[]> =>
    inParts(strings, async (some) => {
      const made = await translateSegments(
        sentences,
        some.map(({ source }) => source),
        { beams: 8, longTexts: 'skip' },
      );
      return made.map(({ method, text }) => (method === 'not translated' ? '' : text));
    });
  // Neither placeholders nor codes as text: all are placed by the cross-attention.
  const aligned: SentenceModel = {
    tokenizers: model.tokenizers,
    async generate(texts, options) {
      if (options?.placeholders) return texts.map(() => []);
      const plain = texts.map((text) => (codesIn(text, anyCodes).length > 0 ? '' : text));
      return model.generate(plain, options);
    },
  };
  return {
    'beam search, no constraints': free,
    'heddle translate': (strings) => segments(strings, model),
    'placed by alignment': (strings) => segments(strings, aligned),
  };
}

async function inParts(
  strings: readonly CatalogString[],
  translate: (some: readonly CatalogString[]) => Promise<string[]>,
): Promise<string[]> {
  const out: string[] = [];
  for (let at = 0; at < strings.length; at += 200) {
    out.push(...(await translate(strings.slice(at, at + 200))));
    process.stderr.write(`\r${out.length} of ${strings.length} `);
  }
  process.stderr.write('\r');
  return out;
}

/** Runs the command; `loadModel` is that of the built library. */
export async function main(args: string[], loadModel: (name: string) => Promise<Model>): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      catalogs: { type: 'string', default: '/usr/share/locale/es/LC_MESSAGES' },
      strings: { type: 'string', default: '2000' },
      train: { type: 'string' },
      terms: { type: 'string' },
      lexicon: { type: 'string' },
      glossary: { type: 'string' },
      base: { type: 'string' },
      corrections: { type: 'string' },
      overhead: { type: 'string' },
      catalog: { type: 'string', default: '/usr/share/locale/es/LC_MESSAGES/gtk30.mo' },
    },
  });
  const [folder] = positionals;
  if (values.corrections !== undefined && folder !== undefined) {
    await measureCorrections(loadModel, folder, values.catalog, values.corrections);
    return 0;
  }
  if (values.terms !== undefined && folder !== undefined) {
    const model = await loadModel(folder);
    const { terms: pairs, lexicon } = values;
    if (values.glossary !== undefined)
      await measureGlossary(model, pairs, values.glossary, Number(values.strings));
    else if (lexicon === undefined) await measureTerms(model, pairs, Number(values.strings));
    else {
      const base = values.base === undefined ? undefined : await loadModel(values.base);
      await measureSoftTerms(model, base, { pairs, lexicon }, Number(values.strings));
      base?.dispose();
    }
    model.dispose();
    return 0;
  }
  if (values.overhead !== undefined && folder !== undefined) {
    const model = await loadModel(folder);
    await measureOverhead(model, values.overhead, Number(values.strings));
    model.dispose();
    return 0;
  }
  const { strings, others } = catalogStrings(values.catalogs, Number(values.strings));
  if (values.train !== undefined) {
    const lines = others.flatMap((line) => {
      const [source = '', target = ''] = line.split('\t');
      const pair = pairWithPlaceholders({ source, target });
      return pair ? [`${pair.source}\t${pair.target}\n`] : [];
    });
    mkdirSync(values.train, { recursive: true });
    writeFileSync(join(values.train, 'train.tsv'), lines.join(''));
    console.log(`${values.train}/train.tsv: ${lines.length} pairs; ${strings.length} strings are left out`);
    return 0;
  }
  if (folder === undefined) {
    console.error(help);
    return 2;
  }
  const model = await loadModel(folder);
  const references = strings.map(({ reference }) => reference);
  console.log(`${strings.length} strings of ${values.catalogs}\n`);
  console.log(
    '| decoding                    | codes kept | not translated | msgfmt --check | BLEU |\n| --- | ---: | ---: | ---: | ---: |',
  );
  for (const [name, translate] of Object.entries(waysOf(model))) {
    const made = await translate(strings);
    const texts = made.map((text, i) => shown(strings[i] as CatalogString, text));
    const kept = strings.filter((string, i) => isValid(string, made[i] ?? '')).length;
    const left = made.filter((text) => text === '').length;
    const entries = strings.map(({ id, flags }, i) => ({ id, flags, text: framed(id, texts[i] ?? '') }));
    const valid = entries.length - faultyMessages(entries).size;
    const bleu = corpusBleu(texts, references).score;
    console.log(`| ${name.padEnd(27)} | ${kept} | ${left} | ${valid} | ${bleu.toFixed(2)} |`);
  }
  model.dispose();
  return 0;
}

/** msgfmt wants the line breaks of the message at both ends. */
const framed = (id: string, text: string): string => {
  const [lead = '', trail = ''] = [/^\n*/.exec(id)?.[0], /\n*$/.exec(id)?.[0]];
  return text === '' ? '' : `${lead}${text.trim()}${trail}`;
};
