// heddle translate MODEL FILE, killed at random moments and started again: no segment is lost or doubled.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { intlCorpus } from '../../../../src/text/intl/intl-corpus.ts';
import { heddle, heddleProcess, scratch, smallTraining } from '../../../support/cli.ts';

const at = (name: string) => join(scratch(), name);

const messages = [...new Set(intlCorpus({ pairs: 400, seed: 3 }).map(({ source }) => source))];
const quoted = (text: string) => JSON.stringify(text);
const documents = {
  po:
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' +
    messages
      .map((text, i) => `#, c-format\nmsgid ${quoted(i % 3 ? text : `%s: ${text}`)}\nmsgstr ""\n\n`)
      .join(''),
  html: `<!DOCTYPE html>\n${messages.map((text, i) => `<p title="${i}">${text.replaceAll('&', '&amp;')} <b>x</b></p>\n`).join('')}`,
  srt: messages
    .map((text, i) => `${i + 1}\n00:00:0${i % 10},000 --> 00:00:0${i % 10},500\n${text}\n\n`)
    .join(''),
};

beforeAll(async () => {
  const { status, stderr } = await heddle(['train', ...smallTraining, '--steps', '40', '--out', at('model')]);
  expect(status, stderr).toBe(0);
});

it.each(Object.keys(documents) as (keyof typeof documents)[])(
  'a killed translation of a .%s file resumes with the same result',
  async (format) => {
    const input = at(`in.${format}`);
    writeFileSync(input, documents[format]);
    const run = (name: string, killAfter = 0) =>
      heddleProcess(
        [
          ...['translate', at('model'), input, '--out', at(`${name}.${format}`)],
          ...['--host', 'cpu', '--max-new-tokens', '6', '--report', at(`${name}.json`), '--force'],
        ],
        { onStart: (child) => killAfter > 0 && setTimeout(() => child.kill('SIGKILL'), killAfter) },
      );
    const begin = performance.now();
    const whole = await run('whole');
    expect(whole.status, whole.stderr).toBe(0);
    const ms = performance.now() - begin;
    let kills = 0;
    for (let after = ms / 3; ; after += ms / 12) {
      const ended = await run('parts', after);
      if (ended.status === 0) break;
      kills++;
      // The output is whole, or there is none.
      expect(existsSync(at(`parts.${format}`))).toBe(false);
      expect(kills).toBeLessThan(100);
    }
    expect(kills).toBeGreaterThan(2);
    for (const ending of [`.${format}`, '.json'])
      expect(readFileSync(at(`parts${ending}`), 'utf8')).toBe(
        readFileSync(at(`whole${ending}`), 'utf8').replaceAll('whole', 'parts'),
      );
    expect(existsSync(at(`parts.${format}.progress`))).toBe(false);
    rmSync(input);
  },
  600_000,
);
