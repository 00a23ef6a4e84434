// What a model of frames reads, and the facts of one that heddle trained from scratch: text without languages, tasks
// and time stamps.

import type { TextModel } from '../../../decode/translator.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import { hopSamples } from '../audio/log-mel.ts';
import { readsFrames } from '../frame-kind.ts';
import { frames } from '../frame-source.ts';
import { type SpeechFacts, speechFactsOf } from './speech-facts.ts';

/** The facts of a model that reads speech; undefined if it does not. */
export const speechOf = (model: TextModel): SpeechFacts | undefined =>
  speechFactsOf(model) ?? (readsFrames(model, 'log-mel') ? plainSpeech(model.config) : undefined);

/** The facts of a model from scratch: it reads recordings as long as its encoder, without silence after them. */
const plainSpeech = (c: ModelConfig): SpeechFacts => ({
  kind: 'speech',
  windowSamples: frames.maxLength(c) * hopSamples,
  fillsWindow: false,
  multilingual: false,
  languages: new Map(),
  tasks: {},
  suppress: [],
  suppressFirst: [],
  forced: [],
  timestamps: false,
  maxTokens: c.maxLength,
});
