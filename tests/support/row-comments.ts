// The help texts of a table of options whose rows have them as doc comments.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { FieldTable, OptionField } from '../../src/core/fields.ts';
import { shownDefault } from './option-interface.ts';

/**
 * The rows of `table`, the constant `name` of a file of src/, with the texts of their comments: help, and the
 * default in words after "Default:".
 */
export function rowsWithHelp(path: string, name: string, table: FieldTable): [string, OptionField][] {
  const text = readFileSync(join(import.meta.dirname, '../../src', path), 'utf8');
  const comments = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name)
      node.initializer?.forEachChild(function inside(child): void {
        if (ts.isPropertyAssignment(child) && !comments.has(child.name.getText()))
          comments.set(child.name.getText(), commentOf(child));
        else if (ts.isObjectLiteralExpression(child) || ts.isAsExpression(child)) child.forEachChild(inside);
      });
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return Object.entries(table).map(([field, row]) => {
    const [help = '', defaultText = shownDefault(row.default)] = (comments.get(field) ?? '')
      .replace(/\.$/, '')
      .split('. Default: ');
    return [field, { ...row, help: help.charAt(0).toLowerCase() + help.slice(1), defaultText }];
  });
}

/** The doc comment of a property as one line. */
const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim();
