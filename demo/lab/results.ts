// The results as JSON: to be copied, downloaded or read.

import { el, setText } from '../common/dom.ts';
import type { LabResults } from './lab-protocol.ts';

/** JSON of results. What is infinite (the error of a kernel that did not run) becomes null. */
export const resultsJson = (results: LabResults): string => `${JSON.stringify(results, undefined, 1)}\n`;

/** Buttons that copy and download results, and what the machine is. */
export function resultsBox(results: LabResults): HTMLElement {
  const json = resultsJson(results);
  const said = el('span', { class: 'hint', role: 'status' });
  const text = el('pre', { class: 'json', tabindex: 0, 'aria-label': 'Results as JSON' }, json);
  const details = el('details', {}, el('summary', {}, 'Read it here'), text);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(json);
      setText(said, 'Copied.');
    } catch {
      // No permission: the text is selected instead, and the visitor's own keys copy it.
      details.open = true;
      getSelection()?.selectAllChildren(text);
      setText(said, 'This browser does not let the page copy; the text below is selected.');
    }
  };
  const download = () => {
    const url = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
    el('a', { href: url, download: `heddle-kernels-${results.when.replace(/[:.]/g, '-')}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return el(
    'div',
    { class: 'stack' },
    machineFacts(results),
    el(
      'div',
      { class: 'row' },
      el('button', { type: 'button', onclick: () => void copy() }, 'Copy as JSON'),
      el('button', { type: 'button', onclick: download }, 'Download JSON'),
      said,
    ),
    details,
  );
}

function machineFacts({ machine, when, heddle }: LabResults): HTMLElement {
  const { adapter, browser, agent, platform, threads, flags, clockGrain } = machine;
  const facts: readonly (readonly [string, string])[] = [
    [
      'Adapter',
      [adapter.vendor, adapter.architecture, adapter.description || adapter.device].filter(Boolean).join(' '),
    ],
    ['Browser', browser.join(', ') || agent],
    ['Platform', [platform, `${threads} threads`].filter(Boolean).join(', ')],
    ['Flags seen', flags.join(', ') || 'none'],
    ['Finest step of the host’s clock', `${clockGrain} ms`],
    ['heddle', `${heddle}, ${when.slice(0, 16).replace('T', ' ')} UTC`],
  ];
  return el('dl', { class: 'facts' }, ...facts.flatMap(([k, v]) => [el('dt', {}, k), el('dd', {}, v)]));
}
