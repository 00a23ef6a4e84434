// Links from the documentation to the pages: relative, so that the site works in any folder.
const base = document.documentElement.dataset.base ?? './';
for (const link of document.querySelectorAll('#tsd-toolbar-links a, .tsd-navigation > a'))
  if (/^(?:index|learn|lab|code)\.html$/.test(link.getAttribute('href')))
    link.setAttribute('href', `${base}../${link.getAttribute('href')}`);
