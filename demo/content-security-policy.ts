// What the built pages may load and run: their own files and nothing else. As a meta element it holds wherever the pages are hosted.

/** Each directive and what it allows. */
const directives: Readonly<Record<string, string>> = {
  'default-src': "'self'",
  'script-src': "'self'",
  'style-src': "'self'",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'img-src': "'self'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
};

/** The value of the meta element and, where a server of our own sends one, of the header. */
export const contentSecurityPolicy = Object.entries(directives)
  .map((directive) => directive.join(' '))
  .join('; ');
