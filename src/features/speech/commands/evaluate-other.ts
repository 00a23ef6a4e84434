// heddle eval: models of speech and of images of lines.

import type { OtherModels } from '../../../commands/jobs/evaluate-job.ts';
import { evaluateFrames } from '../evaluate-frames.ts';
import { LineModel, modelOfKind, SpeechModel } from '../speech-model.ts';

/** Models of frames. */
export const frameModels: OtherModels = {
  make: modelOfKind,
  async evaluate(model, args, session) {
    if (model instanceof SpeechModel || model instanceof LineModel)
      return evaluateFrames(model, args, session);
    throw new Error('eval: the model reads neither speech nor lines');
  },
};
