// The public API of heddle: what a page or a Node program imports as 'heddle'. It reaches for neither Node nor the DOM.
export { check, HeddleError } from './errors.ts';
