// The formats of pairs whose records are lines.

/**
 * Formats whose records are lines, with their names in texts and the ends of the names of their files: columns separated by tabs,
 * comma-separated values with a header, or a JSON object on each line.
 */
export const lineFormats = {
  tsv: { label: 'TSV', extensions: ['tsv', 'txt'] },
  csv: { label: 'CSV', extensions: ['csv'] },
  jsonl: { label: 'JSON lines', extensions: ['jsonl', 'ndjson', 'json'] },
} as const;
/** Name of a format of lines. */
export type LineFormat = keyof typeof lineFormats;
