// Models of the gallery: those that ship with the page, and a model of each family of the hub that heddle reads.

import type { ModelFormat } from '../../../src/index.ts';
import type { SentLanguages } from '../protocol.ts';
import { type DemoModel, demoModels } from './demo-models.ts';

/** A model of the gallery. */
export interface GalleryModel {
  /** Name in the list. */
  readonly title: string;
  /** What it does with a text. */
  readonly what: string;
  /** Size of its weights in bytes: of the file of this page, or as the hub listed it in 2025. */
  readonly bytes: number;
  /** A text to try. */
  readonly example: string;
  /** The model, if it ships with the page. */
  readonly shipped?: DemoModel;
  /** Otherwise its name on the hub, the revision that has its weights in safetensors (default main), and its family. */
  readonly hub?: string;
  readonly revision?: string;
  readonly type?: ModelFormat;
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

/** The models, small ones first. Files of the hub that heddle reads in a page have less than 2 GiB. */
export const galleryModels: readonly GalleryModel[] = [
  ...demoModels.map(own),
  {
    title: 'T5 small',
    what: 'Translates and summarizes; the text begins with the task',
    bytes: 242e6,
    example: 'translate English to German: The house is wonderful.',
    hub: 'google-t5/t5-small',
    type: 't5',
  },
  {
    title: 'FLAN-T5 small',
    what: 'Follows short instructions',
    bytes: 308e6,
    example: 'Translate to French: Where is the library?',
    hub: 'google/flan-t5-small',
    type: 't5',
  },
  {
    title: 'MarianMT, English → Spanish',
    what: 'Translates; the hub has a thousand more pairs of languages',
    bytes: 312e6,
    example: 'Good morning. How are you?',
    hub: 'Helsinki-NLP/opus-mt-en-es',
    revision: 'refs/pr/2',
    type: 'marian',
  },
  {
    title: 'BARThez, an mBART',
    what: 'Fills in masked words of French; a start for fine-tuning',
    bytes: 557e6,
    example: 'Barthez est le meilleur <mask> du monde.',
    hub: 'moussaKam/barthez',
    revision: 'refs/pr/4',
    type: 'mbart',
  },
  {
    title: 'BART base',
    what: 'Fills in masked words; a start for fine-tuning',
    bytes: 558e6,
    example: 'The capital of France is <mask>.',
    hub: 'facebook/bart-base',
    type: 'bart',
  },
  {
    title: 'mT5 small',
    what: 'Fills in gaps in 101 languages; a start for fine-tuning',
    bytes: 1.2e9,
    example: 'The <extra_id_0> walks in the park.',
    hub: 'google/mt5-small',
    revision: '6f9238ffa7de159b1245f899909bac7f40de53ae',
    type: 'mt5',
  },
  {
    title: 'Pegasus, distilled, XSum',
    what: 'Summarizes an article in a sentence',
    bytes: 1.48e9,
    example:
      'The tower is 324 metres tall, about the same height as an 81-storey building, and the tallest structure in Paris.',
    hub: 'sshleifer/distill-pegasus-xsum-16-4',
    revision: 'refs/pr/1',
    type: 'pegasus',
  },
  {
    title: 'M2M100, 418M',
    what: 'Translates between 100 languages',
    bytes: 1.94e9,
    example: 'Good morning. How are you?',
    hub: 'facebook/m2m100_418M',
    revision: 'refs/pr/19',
    type: 'm2m_100',
    languages: { sourceLang: 'en', targetLang: 'es' },
  },
];
