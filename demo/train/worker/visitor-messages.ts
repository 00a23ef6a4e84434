// Messages of the library in the words of the page Train: labels of the form in place of options, and other advice if
// a visitor cannot do what the library suggests.

import { HeddleError } from '../../../src/core/errors.ts';
import { type Hole, listed, type Message, messageKey, msg, pageLabel } from '../../../src/core/message.ts';
import { settingRows } from '../../../src/entries/reports.ts';
import { english } from '../../common/english.ts';

/** Maximum length of a text without holes, and of a value: messages quote what the visitor has entered. */
const [maxText, maxValue, shortValue] = [400, 60, 40];

/**
 * What the page says in place of a message of the library, by its key, and which holes of the message it has. Default:
 * the first ones.
 */
export const pageWords: Readonly<Record<string, string | readonly [text: string, ...holes: number[]]>> = {
  'WebGPU found no adapter. In Node install a Vulkan driver (Debian: mesa-vulkan-drivers); in Chrome enable hardware acceleration, or use its software adapter SwiftShader; in Firefox set dom.webgpu.enabled in about:config.': english`WebGPU found no GPU adapter. After several crashes a browser blocks the GPU for this site; close all its tabs, or restart the browser, and resume the training.`,
  'Training is stuck at step {0}: the loss is {1}, but the gradients of the last {2} updates were not finite{3}, so all of them were skipped; resume from an earlier checkpoint with a lower learning rate, or find the cause with {4}.': english`Training is stuck at step {0}: the loss is {1}, but the gradients of the last {2} updates were not finite{3}, so all of them were skipped; resume from an earlier checkpoint with a lower learning rate.`,
  ' The checkpoint of step {0} is in {1}; resume the run to continue.': english` The checkpoint of step {0} is in this browser; Resume continues it.`,
  '{0} (its log and report are in {1})': '{0}',
  '{0}; restore the file, or fine-tune the model in {1} on these pairs ({2})': english`{0}; train a new model on the changed pairs`,
  'there is no {0}, so nothing to resume; start a new run': english`there is no {0}, so nothing to resume; start a new training`,
  '{0} has no arguments of the run; start a new run': english`{0} has no arguments of the run; start a new training`,
  '{0}; the memory budget is {1}; {2}': english`{0}; the memory budget is {1}; use a smaller model`,
  'text {0} has {1} tokens, its end included; the maximum length is {2}; split it': [
    english`This text has {0} tokens with its end token; the model reads at most {1}. Split it`,
    1,
    2,
  ],
  'no pairs are left to train on; reduce {0}': english`All pairs are held out; add pairs, or reduce {0}`,
  'dev: more than 2 % {0}': english`Some words of the dev sentences are not in the vocabulary, which has the words of the training pairs: {0}. The model cannot translate them.`,
  'more than 2 % {0}; use a larger {1}, or the {2} bpe': english`Some words of the training pairs are not in the vocabulary: {0}. The model cannot learn them; under Advanced increase {1}, or select the tokenizer bpe.`,
  'unknown tokens: {0} of the source, {1} of the target': english`{0} of the source, {1} of the target`,
};

/** Labels of the settings on the page, by name. */
const labels = new Map(
  settingRows.flatMap(([name, { label }]) => (label ? [[name, pageLabel(label)] as const] : [])),
);

/** A message of the library for visitors: without options, packages, paths and long quotes. */
export function messageForVisitors(message: Message | string): Message | string {
  if (typeof message === 'string') {
    const text = String(pageWords[message] ?? message);
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  }
  const holes = message.holes.map(visibleHole);
  const words = pageWords[messageKey(message)];
  if (words === undefined) return { texts: message.texts, holes };
  const [text, ...chosen] = typeof words === 'string' ? [words] : words;
  const texts = text.split(/\{\d+\}/);
  if (chosen.length === 0) return { texts, holes: holes.slice(0, texts.length - 1) };
  return { texts, holes: chosen.map((i) => holes[i] ?? '') };
}

/** A hole for visitors: the labels of options, short values, and names of models without their folder. */
function visibleHole(hole: Hole): Hole {
  if (typeof hole === 'number') return hole;
  if (typeof hole === 'string') return visibleText(hole);
  if ('texts' in hole) return messageForVisitors(hole);
  switch (hole.type) {
    case 'option':
      return labels.get(hole.name) ?? hole.name;
    case 'offer':
      return listed(
        Object.entries(hole.values).map(
          ([name, value]) => msg`${labels.get(name) ?? name}: ${String(value)}`,
        ),
      );
    case 'list':
      return { ...hole, items: hole.items.map(visibleHole) };
    case 'file':
      return { ...hole, path: visibleText(hole.path) };
    default:
      return hole;
  }
}

function visibleText(text: string): string {
  const name = text.startsWith('models/') ? text.slice('models/'.length) : text;
  return name.length > maxValue ? `${name.slice(0, shortValue)}…` : name;
}

/** Functions of the library, which visitors do not call; other areas are files. */
const functions = ['train', 'planTraining', 'translate'];

/** The message of an error for visitors, with the file that it is about. */
export function errorForVisitors(error: unknown): Message | string {
  if (!(error instanceof HeddleError))
    return messageForVisitors(error instanceof Error ? error.message : String(error));
  const { area, template } = error;
  const message = messageForVisitors(template.holes.length > 0 ? template : (template.texts[0] ?? ''));
  return area === undefined || functions.includes(area) ? message : msg`${visibleText(area)}: ${message}`;
}
