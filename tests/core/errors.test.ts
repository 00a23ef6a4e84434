// How error messages quote names.
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellQuote } from '../../src/core/errors.ts';

it('returns plain words, and quotes others for a shell', () => {
  expect(shellQuote('runs/en-es_2.zip')).toBe('runs/en-es_2.zip');
  for (const word of ['my model', "it's", '$HOME', 'a"b', '`x`', '', 'a\nb', '*'])
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word);
});
