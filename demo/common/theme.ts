// Colour theme: that of the system, until the visitor selects one. The selection is stored in localStorage.

import { storeChoice, storedChoice } from './stored-choice.ts';

/** Colour themes. */
export type Theme = 'system' | 'light' | 'dark';

const order: readonly Theme[] = ['system', 'light', 'dark'];
const key = 'heddle-theme';

/** Returns the stored theme; `system` if there is none. */
export function storedTheme(): Theme {
  const stored = storedChoice(key);
  return order.find((theme) => theme === stored) ?? 'system';
}

/** Applies and stores a theme, and dispatches `themechange` on window for code that draws on a canvas. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  storeChoice(key, theme);
  window.dispatchEvent(new Event('themechange'));
}

/** Returns the next theme in the order system, light, dark. */
export const nextTheme = (theme: Theme): Theme =>
  order[(order.indexOf(theme) + 1) % order.length] ?? 'system';

/** Calls `redraw` when the theme changes, by the visitor or by the system. */
export function onThemeChange(redraw: () => void): void {
  window.addEventListener('themechange', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** Returns the value of a CSS variable of style.css as `rgb(…)`, for canvases, which cannot use variables. */
export function colour(variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
