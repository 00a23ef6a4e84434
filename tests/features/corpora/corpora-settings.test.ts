// The settings that the guest brings, and the file that is generated from them.
import { expect, it } from 'vitest';
import type { CorporaOptions } from '../../../src/features/corpora/corpora-options.ts';
import { type CorporaSettings, corporaSettings } from '../../../src/features/corpora/corpora-settings.ts';
import { guestOptionFile } from '../../support/option-interface.ts';
import type { Same } from '../../support/types.ts';

it('has an interface with the help texts of the settings', async () => {
  const file = guestOptionFile('corpora', corporaSettings);
  await expect(file).toMatchFileSnapshot('../../../src/features/corpora/corpora-options.ts');
  const same: Same<CorporaOptions, CorporaSettings> = true;
  expect(same).toBe(true);
});
