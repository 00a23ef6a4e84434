// Adapters of Whisper.

import { it } from 'vitest';
import { frames } from '../../../src/features/speech/frame-source.ts';
import { whisper } from '../../../src/features/speech/whisper-config.ts';
import { readHfConfig } from '../../../src/formats/hf/hf-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { expectAdapters } from '../../support/family-adapters.ts';
import { smallHfJson } from '../../support/hf.ts';

it('adapts the layers of whisper, is read from files of PEFT bit for bit, and gives the results of merged weights', () => {
  const { max_position_embeddings: length, ...sizes } = smallHfJson('bart');
  const json = { ...sizes, model_type: 'whisper', max_target_positions: length };
  const speech = { max_source_positions: length, num_mel_bins: 6 };
  const { config } = readHfConfig({ ...json, ...speech }, undefined, undefined, 'config.json', whisper);
  return expectAdapters(config, parameterList(config, frames), whisper);
});
