// The report of a translated document: numbers, and each segment with its translation, origin and checks.

import { present } from '../../core/present.ts';
import type { SegmentReport } from './translate-document.ts';

/** Numbers of a report. */
export interface DocumentSummary {
  /** Segments that were open. */
  readonly segments: number;
  readonly machine: number;
  readonly exact: number;
  readonly fuzzy: number;
  readonly notTranslated: number;
  /** Segments that lack a term of the glossary. */
  readonly withoutTerms: number;
  /** Segments with a failed check. */
  readonly withProblems: number;
}

/** Counts the segments of a report. */
export function summaryOf(reports: readonly SegmentReport[]): DocumentSummary {
  const count = (origin: SegmentReport['origin']) =>
    reports.filter((report) => report.origin === origin).length;
  return {
    segments: reports.length,
    machine: count('machine'),
    exact: count('exact'),
    fuzzy: count('fuzzy'),
    notTranslated: count('not translated'),
    withoutTerms: reports.filter(({ checks }) => checks.some(({ check }) => check === 'terms')).length,
    withProblems: reports.filter(({ checks }) => checks.length > 0).length,
  };
}

/** The summary as a line. */
export function describeSummary(s: DocumentSummary): string {
  const parts = present([
    s.segments === 1 ? '1 segment' : `${s.segments} segments`,
    `${s.machine} by the model`,
    s.exact + s.fuzzy > 0 ? `${s.exact} exact and ${s.fuzzy} fuzzy matches of the memory` : undefined,
    s.notTranslated > 0 ? `${s.notTranslated} not translated, as in the source` : undefined,
    s.withoutTerms > 0 ? `${s.withoutTerms} without a term of the glossary` : undefined,
    s.withProblems > 0 ? `${s.withProblems} with warnings of checks` : undefined,
  ]);
  return parts.join(', ');
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** The report as a page, or as JSON if `path` ends with .json. */
export function writeReport(path: string, name: string, reports: readonly SegmentReport[]): string {
  const summary = summaryOf(reports);
  if (/\.json$/i.test(path))
    return `${JSON.stringify({ document: name, summary, segments: reports }, null, 1)}\n`;
  const rows = reports.map(
    ({ unit, source, target, origin, similarity, method, confidence, checks }) =>
      `<tr><td>${escapeHtml(unit)}<td>${escapeHtml(source)}<td>${escapeHtml(target)}<td>${origin}${
        similarity === undefined ? '' : ` ${Math.floor(similarity * 100)} %`
      }${method?.startsWith('codes') ? `, ${method}` : ''}<td>${
        confidence === undefined ? '' : Math.exp(confidence).toFixed(2)
      }<td>${checks.map(({ check, problem }) => escapeHtml(`${check}: ${problem}`)).join('<br>')}`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escapeHtml(name)}</title>
<style>body{font:14px/1.5 system-ui;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top}</style>
<h1>${escapeHtml(name)}</h1>
<p>${escapeHtml(describeSummary(summary))}</p>
<table><tr><th>unit<th>source<th>translation<th>origin<th title="mean probability of a token">confidence<th>checks
${rows.join('\n')}
</table></html>
`;
}
