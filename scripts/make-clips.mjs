// npm run demo:clips: makes the clips of the page Speech by espeak-ng, as 16 kHz mono 16 bit WAV in demo/speech/clips/.
// Three clips to listen to by a voice that the built-in model knows well, and ten by one that it does not, to learn
// from. The sentences are not in the corpus that the model was trained on (../shared/speech/make.sh FOLDER 3000 1).
// Needs the programs espeak-ng and sox (Debian: apt-get install espeak-ng sox). The same version of espeak-ng writes the
// same bytes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const out = join(import.meta.dirname, '../demo/speech/clips');
const voices = {
  listen: ['-v', 'en-us+m2', '-s', '150', '-p', '45'],
  teach: ['-v', 'en-us+steph2', '-s', '190', '-p', '65'],
};
const sentences = {
  listen: [
    'turn on the heater in the office',
    'wednesday march twenty second',
    'seven thousand one hundred and thirty three',
  ],
  teach: [
    'stop the timer for seven hours',
    'the thirtieth of september',
    'half past nine',
    'dim the lamp in the hall',
    'cancel the alarm for thirty one minutes',
    'move right again',
    'turn off the light in the kitchen',
    'sixty five',
    'quarter past two',
    'turn on the television in the bathroom',
  ],
};
const folder = mkdtempSync(join(tmpdir(), 'heddle-clips-'));
const raw = join(folder, 'raw.wav');
const env = { ...process.env, LC_ALL: 'C' };
const format = ['-r', '16000', '-c', '1', '-b', '16'];
// Without the silence at the end.
const cut = ['vol', '0.8', 'reverse', 'silence', '1', '0.05', '0.1%', 'reverse', 'pad', '0', '0.1'];

mkdirSync(out, { recursive: true });
try {
  for (const [kind, voice] of Object.entries(voices))
    for (const [i, sentence] of sentences[kind].entries()) {
      execFileSync('espeak-ng', [...voice, '-w', raw, sentence], { env, stdio: 'inherit' });
      const file = join(out, `${kind}-${i + 1}.wav`);
      execFileSync('sox', ['-R', '-D', raw, ...format, file, ...cut], { env, stdio: 'inherit' });
    }
} finally {
  rmSync(folder, { recursive: true });
}
