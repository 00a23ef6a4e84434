// Models of the gallery: those that ship with the page, and one hub model of each family that heddle
// supports.

import { english } from '../../common/english.ts';
import { say } from '../../common/page-texts.ts';
import type { SentLanguages } from '../protocol.ts';
import { type DemoModel, demoModels } from './demo-models.ts';

/** A model of the gallery. */
export interface GalleryModel {
  /** Name in the list. */
  readonly title: string;
  /** Its task. */
  readonly what: string;
  /** Size of its weights in bytes; for a hub model, as the hub listed it in 2025. */
  readonly bytes: number;
  /** An example input. */
  readonly example: string;
  /** The model, if it ships with the page. */
  readonly shipped?: DemoModel;
  /**
   * Otherwise its name on the hub, its family, and the revision with safetensors weights (default `main`).
   */
  readonly hub?: string;
  readonly revision?: string;
  readonly type?: string;
  /** Languages that a multilingual model is loaded with. */
  readonly languages?: SentLanguages;
}

const own = (model: DemoModel): GalleryModel => ({
  title: model.name,
  what: model.about,
  bytes: model.bytes,
  example: model.examples[0]?.[0] ?? '',
  shipped: model,
});

/** The models, the smallest first. A page can load hub files of less than 2 GiB. */
export const galleryModels: readonly GalleryModel[] = [
  ...demoModels.map(own),
  {
    title: 'T5 small',
    what: say`Translates and summarizes; the text begins with the task`,
    bytes: 242e6,
    example: 'translate English to German: The house is wonderful.',
    hub: 'google-t5/t5-small',
    type: 't5',
  },
  {
    title: 'FLAN-T5 small',
    what: say`Follows short instructions`,
    bytes: 308e6,
    example: 'Translate to French: Where is the library?',
    hub: 'google/flan-t5-small',
    type: 't5',
  },
  {
    title: english`MarianMT, English → Spanish`,
    what: say`Translates; the hub has a thousand more language pairs`,
    bytes: 312e6,
    example: 'Good morning. How are you?',
    hub: 'Helsinki-NLP/opus-mt-en-es',
    revision: 'refs/pr/2',
    type: 'marian',
  },
  {
    title: 'BARThez, an mBART',
    what: say`Fills in masked words in French; a base for fine-tuning`,
    bytes: 557e6,
    example: 'Barthez est le meilleur <mask> du monde.',
    hub: 'moussaKam/barthez',
    revision: 'refs/pr/4',
    type: 'mbart',
  },
  {
    title: 'BART base',
    what: say`Fills in masked words; a base for fine-tuning`,
    bytes: 558e6,
    example: 'The capital of France is <mask>.',
    hub: 'facebook/bart-base',
    type: 'bart',
  },
  {
    title: 'mT5 small',
    what: say`Fills in gaps in 101 languages; a base for fine-tuning`,
    bytes: 1.2e9,
    example: 'The <extra_id_0> walks in the park.',
    hub: 'google/mt5-small',
    revision: '6f9238ffa7de159b1245f899909bac7f40de53ae',
    type: 'mt5',
  },
  {
    title: english`Pegasus, distilled, XSum`,
    what: say`Summarizes an article in one sentence`,
    bytes: 1.48e9,
    example:
      'The tower is 324 metres tall, about the same height as an 81-storey building, and the tallest structure in Paris.',
    hub: 'sshleifer/distill-pegasus-xsum-16-4',
    revision: 'refs/pr/1',
    type: 'pegasus',
  },
  {
    title: 'M2M100, 418M',
    what: say`Translates between 100 languages`,
    bytes: 1.94e9,
    example: 'Good morning. How are you?',
    hub: 'facebook/m2m100_418M',
    revision: 'refs/pr/19',
    type: 'm2m_100',
    languages: { sourceLang: 'en', targetLang: 'es' },
  },
];
