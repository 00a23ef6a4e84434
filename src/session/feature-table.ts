// What guests (src/features/) bring to the main house. The main house knows only this table: who opens a model or a
// run hands it to the session, and everything that needs a guest finds it there.

import type { DecodeRuledTexts } from '../decode/ruled-texts.ts';
import type { ModelSource } from '../files/hub/model-source.ts';
import type { ModelFormat } from '../formats/model-format.ts';
import type { SourceKinds } from '../model/source-kind.ts';
import type { PairReader } from '../text/corpus/pair-reader.ts';
import type { Metric } from '../text/metrics/metric.ts';
import type { GuestTasks } from '../text/text-pool.ts';
import type { DataStepRow } from './data-step.ts';
import type { GivenDataRow } from './given-data.ts';
import type { GuestSettings } from './guest-settings.ts';
import type { NamedEngines } from './named-engines.ts';
import type { TrainingSourceKind } from './training-source.ts';

/** What guests bring: a field for each seam, with rows that load the code of a guest when it is needed. */
export interface Features {
  /** Settings of trainings. */
  readonly settings: readonly GuestSettings[];
  /** Forms in which programs give training data. */
  readonly givenData: readonly GivenDataRow[];
  /** Steps of the data of trainings, in the order in which they are done. */
  readonly dataSteps: readonly DataStepRow[];
  /** Kinds of sources that are not text, by the field `source` of a model: their part in trainings. */
  readonly trainingSources: Readonly<Record<string, () => Promise<TrainingSourceKind>>>;
  /** Model formats beside those of src/formats/main-formats.ts. */
  readonly formats: readonly ModelFormat[];
  /** Places of models beside the hub. */
  readonly sources: readonly ModelSource[];
  /** Metrics beside those of src/text/metrics/main-metrics.ts. */
  readonly metrics: readonly Metric[];
  /** Readers of pairs whose records are not lines. */
  readonly pairReaders: readonly PairReader[];
  /** Tasks that threads do on texts, beside those of src/text/text-tasks.ts. */
  readonly textTasks: GuestTasks;
  /** Engines of named devices beside those of src/session/named-engines.ts. */
  readonly engines: NamedEngines;
  /** Kinds of sources by name, beside tokens. */
  readonly sourceKinds: SourceKinds;
  /** Decoding of texts with rules of their own: phrases and placeholders. */
  readonly ruledTexts?: () => Promise<DecodeRuledTexts>;
}

/** All rows of guests, in order. Two guests that bring `ruledTexts` exclude each other: the last one counts. */
export const joinFeatures = (guests: readonly Partial<Features>[]): Features => ({
  settings: guests.flatMap(({ settings = [] }) => settings),
  givenData: guests.flatMap(({ givenData = [] }) => givenData),
  dataSteps: guests.flatMap(({ dataSteps = [] }) => dataSteps),
  trainingSources: Object.assign({}, ...guests.map(({ trainingSources }) => trainingSources)),
  formats: guests.flatMap(({ formats = [] }) => formats),
  sources: guests.flatMap(({ sources = [] }) => sources),
  metrics: guests.flatMap(({ metrics = [] }) => metrics),
  pairReaders: guests.flatMap(({ pairReaders = [] }) => pairReaders),
  textTasks: Object.assign({}, ...guests.map(({ textTasks }) => textTasks)),
  engines: Object.assign({}, ...guests.map(({ engines }) => engines)),
  sourceKinds: Object.assign({}, ...guests.map(({ sourceKinds }) => sourceKinds)),
  ruledTexts: guests.findLast(({ ruledTexts }) => ruledTexts)?.ruledTexts,
});

/** The main house alone: text in, text out. */
export const noFeatures = joinFeatures([]);
