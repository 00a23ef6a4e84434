// The head of every page: what all have in common, the content security policy, and the tags of link previews.
import type { HtmlTagDescriptor, Plugin } from 'vite';
import { contentSecurityPolicy, trainingPagePolicy } from '../content-security-policy.ts';

/** The element that sets a content security policy. */
export const cspTag = (policy: string) => `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;

/** Lines that the heads of all pages have in common. */
const commonHead = [
  '<meta name="viewport" content="width=device-width, initial-scale=1" />',
  '<meta name="color-scheme" content="light dark" />',
  '<link rel="icon" href="./icon.svg" />',
  '<link rel="stylesheet" href="./style.css" />',
];

/**
 * Open Graph tags, from which a chat or a social network makes the preview of a link. Their addresses are absolute
 * if SITE_URL has the address of the site; without it they are relative, which most readers resolve.
 */
export const previews: Plugin = {
  name: 'heddle:previews',
  buildEnd() {
    if (!process.env.SITE_URL)
      this.warn(
        'SITE_URL is not set: the pictures of link previews have relative addresses, which most messengers do not show',
      );
  },
  // After Vite's own, which would make an asset of the picture, that each visitor loads.
  transformIndexHtml: { order: 'post', handler: (html, { path }) => previewTags(html, path) },
};

function previewTags(html: string, path: string): HtmlTagDescriptor[] {
  const site = process.env.SITE_URL ? `${process.env.SITE_URL.replace(/\/$/, '')}/` : './';
  const [, title = 'heddle'] = /<title>(.+?)<\/title>/.exec(html) ?? [];
  const [, text = ''] = /<meta name="description" content="(.+?)"/.exec(html) ?? [];
  const properties = {
    'og:type': 'website',
    'og:site_name': 'heddle',
    'og:title': title,
    'og:description': text,
    'og:url': `${site}${path.slice(1).replace('index.html', '')}`,
    'og:image': `${site}screenshots/picture.png`,
    'og:image:alt': 'A translation on its way through the encoder and the decoder of a transformer',
    'twitter:card': 'summary_large_image',
  };
  return Object.entries(properties).map(([property, content]) => ({
    tag: 'meta',
    attrs: { property, content },
    injectTo: 'head',
  }));
}

/** Pages that download models from the hub. */
const pullingPages = new Set(['/train.html', '/speech.html']);

/**
 * Adds these lines to each page, and the content security policy to built ones: it would block scripts and
 * styles that the development server injects.
 */
export const pageHead: Plugin = {
  name: 'heddle:page-head',
  transformIndexHtml: {
    order: 'pre',
    handler(html, { path, server }) {
      const policy = cspTag(pullingPages.has(path) ? trainingPagePolicy : contentSecurityPolicy);
      const lines = ['<head>', '<meta charset="utf-8" />', ...(server ? [] : [policy]), ...commonHead];
      return html.replace('<head>', lines.join('\n    '));
    },
  },
};
