// Selects the language of the page before it is drawn: the choice of the visitor, else the first of the browser's
// languages that the pages have, else English. In another language the page is hidden until its texts are loaded.
{
  const languages = __LANGUAGES__;
  const wanted = [...navigator.languages];
  try {
    wanted.unshift(localStorage.getItem('heddle-language') ?? '');
  } catch {
    // localStorage is blocked
  }
  const tags = wanted.flatMap((tag) => [tag, tag.split('-')[0]]);
  const { documentElement } = document;
  documentElement.lang = tags.find((tag) => languages.includes(tag)) ?? 'en';
  if (documentElement.lang !== 'en') {
    documentElement.dataset.translating = '';
    // Texts that do not load, as without a network, do not hide it for long.
    setTimeout(() => delete documentElement.dataset.translating, 5000);
  }
}
