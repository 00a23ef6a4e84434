// What happened, a line each with its time.

import { el, fill, onFrame } from '../../common/dom.ts';

/** Lines that are kept. */
const most = 200;

/** Writes lines into a list; gives what adds one. */
export function createLog(place: HTMLElement): (text: string) => void {
  const lines: string[] = [];
  const draw = onFrame(() => fill(place, ...lines.map((line) => el('li', {}, line))));
  return (text) => {
    lines.push(`${new Date().toLocaleTimeString()}  ${text}`);
    if (lines.length > most) lines.splice(0, lines.length - most);
    draw();
  };
}
