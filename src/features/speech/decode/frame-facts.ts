// What a model of frames reads, and the facts of one that heddle trained from scratch: text without languages, tasks
// and time stamps.

import type { TextModel } from '../../../decode/translator.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import { hopSamples } from '../audio/log-mel.ts';
import { frames } from '../frame-source.ts';
import { patchWidth } from '../line-image.ts';
import type { SpeechFacts } from './speech-facts.ts';

/** What the frames of a model are: log-mel features of speech, or patches of an image of a line of text. */
export const frameKindOf = ({
  stem,
  frameWidth,
}: Pick<ModelConfig, 'stem' | 'frameWidth'>): 'log-mel' | 'line' =>
  stem !== 'conv' && frameWidth === patchWidth ? 'line' : 'log-mel';

/** The facts of a model that reads speech; undefined if it does not. */
export function speechOf({ config, speech }: TextModel): SpeechFacts | undefined {
  if (speech) return speech;
  return config.source === 'frames' && frameKindOf(config) === 'log-mel' ? plainSpeech(config) : undefined;
}

/** The facts of a model from scratch: it reads recordings as long as its encoder, without silence after them. */
const plainSpeech = (c: ModelConfig): SpeechFacts => ({
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
