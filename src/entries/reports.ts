/**
 * The entry 'heddle/reports': what a training was and how it went. Its settings, its log, inspected translations,
 * comparisons of runs, and reports as HTML.
 *
 * @module heddle/reports
 */

export { evaluationReport } from '../api/evaluation-report.ts';
export type { MetricValues, SeedGroup } from '../api/run-summaries.ts';
export {
  type RunSummary,
  settingText,
  unlikeLosses,
} from '../api/run-summaries.ts';
export { readTrainingLog } from '../api/saved-training.ts';
export { describeType, type FieldType, fitsType, type OptionField, type ValueOf } from '../core/fields.ts';
export type { Setting } from '../core/setting.ts';
export type { Attention } from '../decode/alignment.ts';
export type {
  InspectedToken,
  Inspection,
  InspectOptions,
  LensLayer,
  LikelyToken,
} from '../decode/inspection.ts';
export type { AttentionKind } from '../decode/inspection-graph.ts';
export type { AttentionMap, GateMap, InspectedTensor } from '../decode/inspector.ts';
export type { Ablation, Interventions, Patch } from '../decode/interventions.ts';
export { type ModelPart, modelParts } from '../decode/model-parts.ts';
export { settingRows, settingTable } from '../features/all-settings.ts';
export {
  describeChanges,
  formatChanges,
  liveSettingLabels,
  parseChanges,
  type RunChange,
} from '../train/report/run-changes.ts';
export type { TrainingEvent } from '../train/report/training-events.ts';
export {
  type CorpusFacts,
  historyOf,
  type LogChange,
  type LogEnd,
  type LogEval,
  type LogProbe,
  type LogRecord,
  type LogSamples,
  type LogStage,
  type LogStart,
  type LogStep,
  type PlanFacts,
  parseLog,
  type Sample,
  type TrainingHistory,
} from '../train/report/training-log.ts';
export type { BestState } from '../train/run/best-model.ts';
export {
  type CompleteSettings,
  completeSettings,
  type KindSetting,
  runKindOf,
} from '../train/settings/run-defaults.ts';
export { type SettingName, settings, type Table } from '../train/settings/settings.ts';
export type { SettingsWithDefaults, SettingTable } from '../train/settings/train-settings.ts';
export type { TrainingMemory } from '../train/update/training-memory.ts';
export { runMetrics, summarizeRuns, trainingReport } from './reports-with-features.ts';
