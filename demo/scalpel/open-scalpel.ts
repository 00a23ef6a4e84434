// Opens the scalpel in a <details> of a page: the panel is loaded when it is opened first.

import type { Inspection, InspectOptions } from '../../src/entries/reports.ts';

/** What the scalpel of a page needs: its model, which may be training, and the sentence at the time. */
export interface PageScalpel {
  inspect(text: string, options: InspectOptions): Promise<Inspection>;
  text(): string;
}

/** Fills a <details> with the scalpel when it is opened first. */
export function openScalpel(card: HTMLDetailsElement, page: PageScalpel): void {
  const open = async () => {
    const { ScalpelPanel } = await import('./scalpel-panel.ts');
    const { inspect } = page;
    const panel = new ScalpelPanel({ inspect, text: page.text(), isLive: true });
    card.append(panel.element);
    await panel.start();
  };
  card.addEventListener('toggle', () => void open(), { once: true });
}
