// Settings in words. A run has its settings by their names in code; the page shows the labels of the form. Changes of
// a run are a phrase, which the visitor can write too.

import {
  describeType,
  type FieldType,
  liveSettingLabels,
  parseChanges,
  type RunChange,
  settingRows,
} from '../../../src/entries/reports.ts';
import { say, translated } from '../../common/page-texts.ts';
import { translatedMessage } from '../../common/translated-message.ts';

const labels = new Map<string, string>(
  settingRows.flatMap(([name, { label }]) => (label ? [[name, label] as const] : [])),
);

/** The label of a setting: that of the form, or the words of its name; a field of a model or LoRA adapter too. */
export function settingLabel(name: string): string {
  const own = labels.get(name);
  if (own !== undefined) return translated(own);
  if (name === 'dev pairs') return say`Dev pairs`;
  const words = name
    .replaceAll('.', ' ')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
  return translated(words.charAt(0).toUpperCase() + words.slice(1));
}

/** What a value must be, in the language of the page. */
export const typeWords = (type: FieldType): string => translatedMessage(describeType(type));

/**
 * The changes in a phrase as `describeChanges` writes it, `learning rate 0.001 and dropout 0 after step 40`, or with
 * the names of the settings, `40 learningRate=0.001`. Throws a HeddleError that names the invalid part.
 */
export function changesIn(phrase: string): RunChange[] {
  const parts = phrase.split(/[,;]/).map((part) => {
    const [settings = '', step] = part.split(/\s+after step\s+/i);
    if (step === undefined) return part;
    return [
      step.trim(),
      ...settings
        .trim()
        .split(/\s+and\s+/i)
        .map(assignment),
    ].join(' ');
  });
  return parseChanges(parts.join(';'));
}

/** `learning rate 0.001` as `learningRate=0.001`; a text that begins with no label as it is. */
function assignment(words: string): string {
  const known = Object.entries(liveSettingLabels).find(([, label]) =>
    words.toLowerCase().startsWith(`${label} `),
  );
  return known ? `${known[0]}=${words.slice(known[1].length).trim()}` : words;
}
