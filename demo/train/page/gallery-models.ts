// Models of the gallery: those that ship with the page, and a model of each family of the hub that heddle reads.

import type { HfType } from '../../../src/formats/hf/hf-fields.ts';
import type { SentLanguages } from '../protocol.ts';
import { type DemoModel, demoModels } from './demo-models.ts';

/** A model of the gallery. */
export interface GalleryModel {
  /** Name in the list. */
  readonly title: string;
  /** What it does with a text. */
  readonly what: string;
  /** Size of its weights in bytes: those of the file, or of float32. */
  readonly bytes: number;
  /** A text to try. */
  readonly example: string;
  /** The model, if it ships with the page. */
  readonly shipped?: DemoModel;
  /** Otherwise its name on the hub and its family. */
  readonly hub?: string;
  readonly type?: HfType;
  /** Languages that a multilingual model is loaded with. */
  readonly languages?: SentLanguages;
}

const own = (model: DemoModel): GalleryModel => ({
  title: model.name,
  what: 'Tiny model of this page: dates, amounts, names and lists',
  bytes: model.bytes,
  example: model.examples[0]?.[0] ?? '',
  shipped: model,
});

/** Bytes of float32 weights, by millions of parameters. */
const float32 = (millions: number): number => 4e6 * millions;

/** The models, small ones first. */
export const galleryModels: readonly GalleryModel[] = [
  ...demoModels.map(own),
  {
    title: 'MarianMT, English → Spanish',
    what: 'Translates; the hub has a thousand more pairs of languages',
    bytes: float32(78),
    example: 'Good morning. How are you?',
    hub: 'Helsinki-NLP/opus-mt-en-es',
    type: 'marian',
  },
  {
    title: 'T5 small',
    what: 'Translates and summarizes; the text begins with the task',
    bytes: float32(60.5),
    example: 'translate English to German: The house is wonderful.',
    hub: 'google-t5/t5-small',
    type: 't5',
  },
  {
    title: 'FLAN-T5 small',
    what: 'Follows short instructions',
    bytes: float32(77),
    example: 'Translate to French: Where is the library?',
    hub: 'google/flan-t5-small',
    type: 't5',
  },
  {
    title: 'BART base',
    what: 'Fills in masked words; a start for fine-tuning',
    bytes: float32(139.4),
    example: 'The capital of France is <mask>.',
    hub: 'facebook/bart-base',
    type: 'bart',
  },
  {
    title: 'mT5 small',
    what: 'Fills in gaps in 101 languages; a start for fine-tuning',
    bytes: float32(300),
    example: 'The <extra_id_0> walks in the park.',
    hub: 'google/mt5-small',
    type: 'mt5',
  },
  {
    title: 'M2M100, 418M',
    what: 'Translates between 100 languages',
    bytes: float32(484),
    example: 'Good morning. How are you?',
    hub: 'facebook/m2m100_418M',
    type: 'm2m_100',
    languages: { sourceLang: 'en', targetLang: 'es' },
  },
  {
    title: 'Pegasus, XSum',
    what: 'Summarizes an article in a sentence',
    bytes: float32(569),
    example:
      'The tower is 324 metres tall, about the same height as an 81-storey building, and the tallest structure in Paris.',
    hub: 'google/pegasus-xsum',
    type: 'pegasus',
  },
  {
    title: 'mBART-50',
    what: 'Translates between 50 languages',
    bytes: float32(611),
    example: 'Good morning. How are you?',
    hub: 'facebook/mbart-large-50-many-to-many-mmt',
    type: 'mbart',
    languages: { sourceLang: 'en_XX', targetLang: 'es_XX' },
  },
  {
    title: 'NLLB-200, 600M',
    what: 'Translates between 200 languages',
    bytes: float32(615),
    example: 'Good morning. How are you?',
    hub: 'facebook/nllb-200-distilled-600M',
    type: 'm2m_100',
    languages: { sourceLang: 'eng_Latn', targetLang: 'spa_Latn' },
  },
];
