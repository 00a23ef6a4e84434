// Facts of a model of frames that heddle trained from scratch: text without languages, tasks and time stamps.

import { hopSamples } from '../audio/log-mel.ts';
import { type ModelConfig, maxSourceLength } from '../model/model-config.ts';
import type { FrameKind, SpeechFacts } from './speech-facts.ts';
import type { TextModel } from './translator.ts';

/** What a model of frames that heddle trained says of them. */
export const frameFacts = (
  config: ModelConfig,
  frameKind: FrameKind,
): Pick<TextModel, 'speech' | 'frameKind'> => ({
  frameKind,
  speech: frameKind === 'log-mel' ? plainSpeech(config) : undefined,
});

/** The same from config.json. */
export const readFacts = (config: ModelConfig, { frames }: { readonly frames?: unknown }) =>
  frameFacts(config, frames === 'line' ? 'line' : 'log-mel');

/** The facts of such a model: it reads recordings as long as its encoder, without silence after them. */
const plainSpeech = (c: ModelConfig): SpeechFacts => ({
  windowSamples: maxSourceLength(c) * hopSamples,
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
