// Header and footer of all pages: logo, navigation, GPU adapter, the button that switches the colour theme;
// documentation.

import { el, fill, set, svg } from './dom.ts';
import { applyTheme, nextTheme, storedTheme, type Theme } from './theme.ts';

const pages = [
  { id: 'train', href: './index.html', name: 'Train' },
  { id: 'learn', href: './learn.html', name: 'Learn' },
  { id: 'lab', href: './lab.html', name: 'Kernel lab' },
  { id: 'code', href: './code.html', name: 'Code' },
] as const;

/** The header of a page. */
export interface PageHeader {
  /** Shows the name of the GPU adapter; an empty name hides it. */
  showAdapter(name: string): void;
}

/** Files of the build that the footer links to. */
const documents = [
  { href: './docs/README.txt', name: 'About' },
  { href: './docs/getting-started.txt', name: 'Library' },
  { href: './docs/ARCHITECTURE.txt', name: 'Architecture' },
  { href: './docs/heddle-source.zip', name: 'Source code (zip)' },
] as const;

function mountFooter(): void {
  const foot = document.getElementById('foot');
  if (!foot) return;
  fill(
    foot,
    'heddle, a transformer engine in WebGPU compute shaders. MIT licence. ',
    el(
      'nav',
      { class: 'documents', 'aria-label': 'Documentation' },
      ...documents.map(({ href, name }) => el('a', { href }, name)),
    ),
  );
}

/** Fills `<header id="top">` and `<footer id="foot">` of a page. */
export function mountHeader(current: (typeof pages)[number]['id']): PageHeader {
  const theme = storedTheme();
  applyTheme(theme);
  // Only in the build: files of the development server change.
  if (import.meta.env.PROD)
    void navigator.serviceWorker?.register('./service-worker.js').catch(() => undefined);
  const adapter = el('span', { class: 'adapter', hidden: true });
  mountFooter();
  const top = document.getElementById('top');
  if (!top) throw new Error('the page has no <header id="top">');
  fill(
    top,
    el('a', { class: 'brand', href: './index.html' }, logo(), el('span', {}, 'heddle')),
    el(
      'nav',
      { 'aria-label': 'Pages' },
      ...pages.map(({ id, href, name }) => el('a', { href, 'aria-current': id === current && 'page' }, name)),
    ),
    adapter,
    themeButton(theme),
  );
  return {
    showAdapter(name) {
      adapter.textContent = name;
      set(adapter, { title: `GPU adapter: ${name}`, hidden: name === '' });
    },
  };
}

function logo(): SVGSVGElement {
  return svg(
    'svg',
    {
      class: 'mark',
      viewBox: '0 0 24 24',
      fill: 'none',
      'stroke-width': 3,
      'stroke-linecap': 'round',
      'aria-hidden': 'true',
    },
    svg('path', { class: 'warp', d: 'M6 2v9M6 17v5M12 2v3M12 11v11M18 2v9M18 17v5' }),
    svg('path', { class: 'weft', d: 'M2 8h1M9 8h13M2 14h13M21 14h1' }),
  );
}

const icons: Record<Theme, string> = {
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  light:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
};

function themeButton(first: Theme): HTMLButtonElement {
  let theme = first;
  const path = svg('path', { class: 'icon' });
  const button = el(
    'button',
    { type: 'button', class: 'quiet theme' },
    svg('svg', { viewBox: '0 0 24 24', width: 20, height: 20, 'aria-hidden': 'true' }, path),
  );
  const show = () => {
    set(path, { d: icons[theme] });
    set(button, {
      'aria-label': `Colours: ${theme}`,
      title: `Colours: ${theme}`,
      'data-theme-choice': theme,
    });
  };
  button.addEventListener('click', () => {
    theme = nextTheme(theme);
    applyTheme(theme);
    show();
  });
  show();
  return button;
}
