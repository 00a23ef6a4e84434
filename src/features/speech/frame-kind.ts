// What the frames of a model are.

import type { TextModel } from '../../decode/translator.ts';
import type { ModelConfig } from '../../model/model-config.ts';

/** Numbers of a patch of an image of a line: 16 x 16 pixels. */
export const patchWidth = 256;

/** What the frames of a model are: log-mel features of speech, or patches of an image of a line of text. */
export const frameKindOf = ({
  stem,
  frameWidth,
}: Pick<ModelConfig, 'stem' | 'frameWidth'>): 'log-mel' | 'line' =>
  stem !== 'conv' && frameWidth === patchWidth ? 'line' : 'log-mel';

/** Whether a model reads frames of a kind. */
export const readsFrames = ({ config }: Pick<TextModel, 'config'>, kind: 'log-mel' | 'line'): boolean =>
  config.source === 'frames' && frameKindOf(config) === kind;
