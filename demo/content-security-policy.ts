// Content security policy of the built pages: only files of their own origin. It is a meta element, so it applies on
// any host.

/** Directives and their values. */
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

/** Value of the meta element and of the Content-Security-Policy header. */
export const contentSecurityPolicy = Object.entries(directives)
  .map((directive) => directive.join(' '))
  .join('; ');
