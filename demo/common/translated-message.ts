// Messages of workers and of the library in the language of the page: by their keys, with their values.

import { type Message, type MessageStyle, renderMessage } from '../../src/core/message.ts';
import { fixed, formatBytes, formatInteger, formatNumber, formatPercent, inDigits } from './format.ts';
import { sayCount, translated, translationOf } from './page-texts.ts';

/** How the page writes messages. */
const pageStyle: MessageStyle = {
  text: translationOf,
  hole(hole) {
    if (typeof hole === 'string') return translated(hole);
    if (typeof hole === 'number')
      return Number.isInteger(hole) ? formatInteger(hole) : inDigits(String(hole));
    switch (hole.type) {
      case 'label':
        return `“${translated(hole.text)}”`;
      case 'count':
        return sayCount(hole.value, hole.one, hole.many);
      case 'significant':
        return formatNumber(hole.value);
      case 'fixed':
        return fixed(hole.value, hole.digits);
      case 'bytes':
        return formatBytes(hole.value);
      case 'percent':
        return formatPercent(hole.value);
      default:
        return undefined;
    }
  },
};

/** A message in the language of the page. */
export const translatedMessage = (message: Message | string): string => renderMessage(message, pageStyle);
