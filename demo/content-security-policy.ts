// Content security policies of the built pages: only files of their own origin. They are meta elements, so
// they apply on any host.

/**
 * The Hugging Face hub, which the training page downloads models from if the server of the page is not a
 * proxy to a hub.
 */
export const hubOrigin = 'https://huggingface.co';

/** The hub and the storage that it redirects downloads to. */
const hubOrigins = [hubOrigin, 'https://*.huggingface.co', 'https://*.hf.co'];

/** Where Mozilla publishes the models of Firefox Translations. */
const mozillaOrigin = 'https://storage.googleapis.com';

/** A policy whose pages and workers send requests to these origins. */
const policyFor = (connect: readonly string[]): string =>
  Object.entries({
    'default-src': "'self'",
    'script-src': "'self'",
    'style-src': "'self'",
    'connect-src': connect.join(' '),
    'worker-src': "'self'",
    'img-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
  })
    .map((directive) => directive.join(' '))
    .join('; ');

/**
 * The policy of all pages except the training page: value of the meta element and of the
 * Content-Security-Policy header.
 */
export const contentSecurityPolicy = policyFor(["'self'"]);

/** The policy of the training page, which also downloads models from the hub. */
export const trainingPagePolicy = policyFor(["'self'", ...hubOrigins, mozillaOrigin]);
