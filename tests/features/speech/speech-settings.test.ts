// The settings that the guest brings, and the file that is generated from them.
import { expect, it } from 'vitest';
import type { SpeechOptions } from '../../../src/features/speech/speech-options.ts';
import { type SpeechSettings, speechSettings } from '../../../src/features/speech/speech-settings.ts';
import { guestOptionFile } from '../../support/option-interface.ts';
import type { Same } from '../../support/types.ts';

it('has an interface with the help texts of the settings', async () => {
  const file = guestOptionFile('speech', speechSettings);
  await expect(file).toMatchFileSnapshot('../../../src/features/speech/speech-options.ts');
  const same: Same<SpeechOptions, SpeechSettings> = true;
  expect(same).toBe(true);
});
