// The page Translate: a box that answers while one types.

import { byId, whenVisible } from '../common/dom.ts';
import { mountHeader } from '../common/page-header.ts';
import { TranslatorPanel } from './translator-panel.ts';

// Links of before the page Train had an address of its own: recipes and parts of that page are in the hash.
if (/^#(?:train|source|translator)?$/.test(location.hash) || location.hash === '') {
  mountHeader('translate');
  const panel = new TranslatorPanel();
  byId('translator').append(panel.element);
  // The first answer comes before the film.
  void panel
    .open()
    .then(() => whenVisible(byId('picture'), async () => (await import('./front-picture.ts')).showPicture()));
} else location.replace(`./train.html${location.search}${location.hash}`);
