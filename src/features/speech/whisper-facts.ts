// What the table of formats says of Whisper's folders.

import type { ModelFormat } from '../../formats/model-format.ts';

/** The row of the format without its code. */
export const whisperFacts = {
  names: ['whisper'],
  title: 'Whisper of Hugging Face',
  dtypes: ['f32', 'f16', 'bf16'],
  defaultDtype: 'that of the source checkpoint, or f32',
  isConfig: ({ model_type: type }) => type === 'whisper',
} satisfies ModelFormat;
