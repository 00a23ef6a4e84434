// The models that ship with the page: a general one, trained on Tatoeba, and toys that were trained on the
// built-in corpus as a visitor would train them. scripts/train-demo-models.mjs trains them; the page loads
// them on demand.

import { english } from '../../common/english.ts';
import { say } from '../../common/page-texts.ts';

/** A model that ships with the page. */
export interface DemoModel {
  /** Its file in demo/models, without the ending. */
  readonly id: string;
  readonly name: string;
  /** What it can translate, for the line beside its name. */
  readonly knows: string;
  /** Its training, its scores, and the licence of its data. */
  readonly about: string;
  /** Languages, as BCP 47 tags. */
  readonly source: string;
  readonly target: string;
  readonly url: string;
  /** Size of its file in bytes. */
  readonly bytes: number;
  /** Number of training updates. */
  readonly step: number;
  /** Whether it was trained on single sentences, so that a text is translated sentence by sentence. */
  readonly bySentence?: boolean;
  /** Sentences and the model's translations of them. */
  readonly examples: readonly (readonly [source: string, translation: string])[];
}

const toy = {
  knows: say`Knows only dates, times, amounts, measures, countries and lists`,
  about: say`Trained on this page in two minutes: dates, amounts, names and lists`,
};

/** The model that the page loads first. */
export const generalModel: DemoModel = {
  id: 'en-es-general',
  name: english`English → Spanish`,
  knows: say`Knows everyday sentences`,
  about: say`Everyday sentences: BLEU 38.3, chrF2 58.7 on 3,543 held-out pairs of Tatoeba (int8). Trained with heddle on the sentences of tatoeba.org, CC BY 2.0 FR, phrases written by hand, and words of FreeDict, CC BY-SA 3.0`,
  source: 'en',
  target: 'es',
  url: new URL('../../models/en-es-general.safetensors', import.meta.url).href,
  bytes: 2_026_400,
  step: 12_720,
  bySentence: true,
  examples: [
    ['I love you.', 'Te quiero.'],
    ['Where can I buy a ticket?', '¿Dónde puedo comprar un billete?'],
    ['The cat is sleeping on the sofa.', 'El gato está durmiendo en el sofá.'],
  ],
};

/** A larger model of the same languages: Translate goes on with it when it has arrived, and Documents uses it. */
export const largeModel: DemoModel = {
  ...generalModel,
  id: 'en-es-large',
  name: english`English → Spanish, large`,
  knows: say`Knows everyday sentences better`,
  about: say`Everyday sentences: BLEU 43.6, chrF2 63.4 on 3,543 held-out pairs of Tatoeba (int8). Trained with heddle and PyTorch on the sentences of tatoeba.org, CC BY 2.0 FR, phrases written by hand, and words of FreeDict, CC BY-SA 3.0`,
  url: new URL('../../models/en-es-large.safetensors', import.meta.url).href,
  bytes: 4_434_488,
  step: 8_342,
};

/** Models that a visitor can train on this page. */
export const toyModels: readonly DemoModel[] = [
  {
    id: 'en-es',
    ...toy,
    name: english`Dates → Spanish`,
    source: 'en',
    target: 'es',
    url: new URL('../../models/en-es.safetensors', import.meta.url).href,
    bytes: 757_128,
    step: 800,
    examples: [
      ['Tuesday, March 4, 2025', 'martes, 4 de marzo de 2025'],
      ['2 days, 7 hours, 34 minutes', '2 días, 7 horas y 34 minutos'],
      ['Portugal, Norway, and Japan', 'Portugal, Noruega y Japón'],
    ],
  },
  {
    id: 'en-ar',
    ...toy,
    name: english`Dates → Arabic`,
    source: 'en',
    target: 'ar',
    url: new URL('../../models/en-ar.safetensors', import.meta.url).href,
    bytes: 846_814,
    step: 800,
    examples: [
      ['Tuesday, March 4, 2025', 'الثلاثاء، 4 مارس 2025'],
      ['2 days, 7 hours, 34 minutes', 'يومان، و7 ساعات، و34 دقيقة'],
      ['Portugal, Norway, and Japan', 'البرتغال والنرويج واليابان'],
    ],
  },
  {
    id: 'en-ja',
    ...toy,
    name: english`Dates → Japanese`,
    source: 'en',
    target: 'ja',
    url: new URL('../../models/en-ja.safetensors', import.meta.url).href,
    bytes: 797_860,
    step: 800,
    examples: [
      ['Tuesday, March 4, 2025', '2025年3月4日火曜日'],
      ['2 days, 7 hours, 34 minutes', '2 日 7 時間 34 分'],
      ['Portugal, Norway, and Japan', 'ポルトガル、ノルウェー、日本'],
    ],
  },
];

/** The models that the page Train offers, the default one first. */
export const demoModels: readonly DemoModel[] = [generalModel, ...toyModels];

/**
 * The first toy at earlier steps of its training, in int8: for the page Learn. They are recorded by the same command as
 * the toy, and loaded only if they are chosen.
 */
export const earlierModels: readonly DemoModel[] = (
  [
    [
      50,
      english`Dates → Spanish, after 50 of 800 steps`,
      new URL('../../models/en-es-step50.safetensors', import.meta.url).href,
    ],
    [
      200,
      english`Dates → Spanish, after 200 of 800 steps`,
      new URL('../../models/en-es-step200.safetensors', import.meta.url).href,
    ],
  ] as const
).map(([step, name, url]) => ({
  ...(toyModels[0] as DemoModel),
  id: `en-es-step${step}`,
  name,
  url,
  bytes: 435_720,
  step,
}));

/** The first toy, trained in the same way but with learned positions: for the chapter about them. */
export const learnedPositionsModel: DemoModel = {
  ...(toyModels[0] as DemoModel),
  id: 'en-es-learned',
  name: english`Dates → Spanish, learned positions`,
  url: new URL('../../models/en-es-learned.safetensors', import.meta.url).href,
  bytes: 773_664,
};
