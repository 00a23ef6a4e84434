// Light or dark: as the system is, until the visitor chooses; the choice is kept for the next visit and for the other page.

/** What a visitor may choose. */
export type Theme = 'system' | 'light' | 'dark';

const order: readonly Theme[] = ['system', 'light', 'dark'];
const key = 'heddle-theme';

/** The choice of an earlier visit. */
export function chosenTheme(): Theme {
  try {
    return order.find((t) => t === localStorage.getItem(key)) ?? 'system';
  } catch {
    return 'system'; // a browser that keeps nothing for this page
  }
}

/** Shows the page in a theme, keeps the choice, and tells all that draw on a canvas (`themechange` on window). */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // the theme still holds for this visit
  }
  window.dispatchEvent(new Event('themechange'));
}

/** The theme after this one. */
export const nextTheme = (theme: Theme): Theme => order[(order.indexOf(theme) + 1) % order.length] ?? 'system';

/** Calls `redraw` whenever colours change, by choice or by the system. */
export function onThemeChange(redraw: () => void): void {
  window.addEventListener('themechange', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

/** The colour that a variable of style.css has now, as `rgb(…)`: for canvases, which know no variables. */
export function colour(variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
