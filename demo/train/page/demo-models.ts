// The models that ship with the page. scripts/train-demo-models.mjs trains them on the built-in corpus; the
// page loads them on demand.

/** A model that ships with the page. */
export interface DemoModel {
  readonly name: string;
  /** Languages, as BCP 47 tags. */
  readonly source: string;
  readonly target: string;
  readonly url: string;
  /** Size of its file in bytes. */
  readonly bytes: number;
  /** Number of training updates. */
  readonly step: number;
  /** Sentences and the model's translations of them. */
  readonly examples: readonly (readonly [source: string, translation: string])[];
}

/** The models, the default one first. */
export const demoModels: readonly DemoModel[] = [
  {
    name: 'English → Spanish',
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
    name: 'English → Arabic',
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
    name: 'English → Japanese',
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

/** The first model, trained in the same way but with learned positions: for the chapter about them. */
export const learnedPositionsModel: DemoModel = {
  ...(demoModels[0] as DemoModel),
  name: 'English → Spanish, learned positions',
  url: new URL('../../models/en-es-learned.safetensors', import.meta.url).href,
  bytes: 773_664,
};
