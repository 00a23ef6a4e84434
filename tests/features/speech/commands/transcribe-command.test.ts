// heddle transcribe: what it says before a model of the hub is downloaded. tests/features/speech has transcriptions.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, scratch } from '../../../support/cli.ts';

const wav = () => join(scratch(), 'talk.wav');

it('looks for its default model on the hub, with the files of Node', async () => {
  writeFileSync(wav(), '');
  const { status, stderr } = await heddle(['transcribe', wav()], {
    env: { HF_ENDPOINT: 'http://127.0.0.1:9' },
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/from the hub: openai\/whisper-tiny: 127\.0\.0\.1:9 cannot be reached/),
  ]);
});

it('names a recording that is not there before a download', async () => {
  const { status, stderr } = await heddle(['transcribe', `${wav()}.none`]);
  expect([status, stderr]).toEqual([1, `heddle: ${wav()}.none: there is no such file\n`]);
});
