// Names of kernel variants: those of the library, and the attempts of the visitor, which are numbered.

import { say, translated } from '../common/page-texts.ts';

const attempt = 'yours ';

/** Stored name of an attempt of the visitor, counted from 1. */
export const attemptName = (number: number): string => `${attempt}${number}`;

/** Whether a variant is a kernel of the visitor. */
export const isAttempt = (variant: string): boolean => variant.startsWith(attempt);

/** The name of a variant in the language of the page. */
export const variantName = (variant: string): string =>
  isAttempt(variant) ? say`yours ${variant.slice(attempt.length)}` : translated(variant);
