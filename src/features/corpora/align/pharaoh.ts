// Word alignments as text, in the format of Pharaoh, fast_align and eflomal: a line `0-0 1-2` for each pair, source
// word and target word, counted from 0 among the words between ASCII spaces.

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { WordLinks } from '../../../decode/word-links.ts';

/** The links of a line. Throws a HeddleError that starts with `place` and quotes what is no link. */
export function parseLinks(line: string, place: string): WordLinks {
  return line
    .split(' ')
    .map((link) => link.trim())
    .filter((link) => link !== '')
    .map((link) => {
      const dash = link.indexOf('-');
      const [source, target] = [link.slice(0, dash), link.slice(dash + 1)].map(wholeNumber);
      if (dash < 0 || source === undefined || target === undefined)
        throw new HeddleError(msg`${link.slice(0, 40)} is no link; a line of word alignments is as 0-0 1-2`, {
          area: place,
        });
      return [source, target] as const;
    });
}

/** The number that a text of digits is; undefined for other texts. */
const wholeNumber = (text: string): number | undefined =>
  text !== '' && [...text].every((char) => char >= '0' && char <= '9') ? Number(text) : undefined;
