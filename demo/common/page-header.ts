// Header and footer of all pages: logo, navigation, GPU adapter, the button that switches the colour theme;
// documentation.

import { byId } from './dom.ts';
import { keepsStorage } from './keeps-storage.ts';
import { chooseLanguage, language, languages, say } from './page-texts.ts';
import { type Content, html, nothing, show, svg } from './panel.ts';
import { applyTheme, nextTheme, storedTheme, type Theme } from './theme.ts';

const pages = [
  { id: 'translate', href: './index.html', name: say`Translate` },
  { id: 'train', href: './train.html', name: say`Train` },
  { id: 'documents', href: './documents.html', name: say`Documents` },
  { id: 'speech', href: './speech.html', name: say`Speech` },
  { id: 'learn', href: './learn.html', name: say`Learn` },
  { id: 'lab', href: './lab.html', name: say`Lab` },
  { id: 'language', href: './language.html', name: say`Language` },
  { id: 'code', href: './code.html', name: say`Code` },
] as const;

/** A page of the navigation. */
type PageId = (typeof pages)[number]['id'];

/** Pages of the documentation, further pages and files of the build that the footer links to. */
const documents = [
  { href: './docs/index.html', name: say`Documentation` },
  { href: './docs/documents/docs_getting-started.html', name: say`Library` },
  { href: './docs/documents/ARCHITECTURE.html', name: say`Architecture` },
  { href: './heddle-source.zip', name: say`Source code (zip)` },
] as const;

/** The names of the themes. */
const themeNames: Record<Theme, string> = { system: say`system`, light: say`light`, dark: say`dark` };

const icons: Record<Theme, string> = {
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  light:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  dark: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
};

const logo = svg`
  <svg class="mark" viewBox="0 0 24 24" fill="none" stroke-width="3" stroke-linecap="round" aria-hidden="true">
    <path class="warp" d="M6 2v9M6 17v5M12 2v3M12 11v11M18 2v9M18 17v5"></path>
    <path class="weft" d="M2 8h1M9 8h13M2 14h13M21 14h1"></path>
  </svg>`;

/** The header of a page. */
export class PageHeader {
  readonly #current: PageId;
  #theme = storedTheme();
  #adapter = '';

  constructor(current: PageId) {
    this.#current = current;
    applyTheme(this.#theme);
    this.#draw();
  }

  /** Shows the name of the GPU adapter; an empty name hides it. */
  readonly showAdapter = (name: string): void => {
    this.#adapter = name;
    this.#draw();
  };

  #switchTheme(): void {
    this.#theme = nextTheme(this.#theme);
    applyTheme(this.#theme);
    this.#draw();
  }

  #draw(): void {
    show(this.#template(), byId('top'));
  }

  #template(): Content {
    const theme = say`Colours: ${themeNames[this.#theme]}`;
    return html`
      <a class="brand" href="./index.html">${logo}<span>heddle</span></a>
      <nav aria-label="Pages">
        ${pages.map(
          ({ id, href, name }) =>
            html`<a href=${href} aria-current=${id === this.#current ? 'page' : nothing}>${name}</a>`,
        )}
      </nav>
      <span class="adapter" title="GPU adapter: ${this.#adapter}" ?hidden=${this.#adapter === ''}>${
        this.#adapter
      }</span>
      <button
        type="button"
        class="quiet theme"
        aria-label=${theme}
        title=${theme}
        data-theme-choice=${this.#theme}
        @click=${() => this.#switchTheme()}
      >
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path class="icon" d=${icons[this.#theme]}></path>
        </svg>
      </button>`;
  }
}

/** The languages of the pages, each by its own name. */
function languageChoice(): Content {
  const option = (tag: string): Content => {
    const name = new Intl.DisplayNames(tag, { type: 'language' }).of(tag) ?? tag;
    const title = name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
    return html`<option value=${tag} lang=${tag} .selected=${tag === language}>${title}</option>`;
  };
  const choose = (event: Event) => chooseLanguage((event.target as HTMLSelectElement).value);
  return html`<select class="language" aria-label="Language of the pages" @change=${choose}>${languages.map(option)}</select>`;
}

/** What a visitor reads who blocks storage. */
function notKept(): HTMLElement {
  const note = document.createElement('p');
  note.className = 'note not-kept';
  note.id = 'not-kept';
  note.textContent = say`This browser blocks storage for this site: everything works, but models, documents and settings are gone when the tab closes.`;
  return note;
}

/** Fills `<header id="top">` and `<footer id="foot">` of a page, and registers the service worker. */
export function mountHeader(current: PageId): PageHeader {
  // Only in the build: files of the development server change.
  if (import.meta.env.PROD)
    void navigator.serviceWorker?.register('./service-worker.js').catch(() => undefined);
  void keepsStorage().then((keeps) => {
    if (!keeps) byId('top').after(notKept());
  });
  const links = documents.map(({ href, name }) => html`<a href=${href}>${name}</a>`);
  const text = say`heddle, a transformer engine in WebGPU compute shaders. MIT licence.`;
  show(
    html`${text} <nav class="documents" aria-label="Documentation">${links}</nav> ${languageChoice()}`,
    byId('foot'),
  );
  return new PageHeader(current);
}
