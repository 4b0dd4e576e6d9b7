// What the package offers, in one text that a review sees change: VIGIE_UPDATE=1 writes it anew.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');
const source = (/** @type {string} */ name) => {
  const text = readFileSync(join(root, 'js', name), 'utf8');
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
};

/** @param {ts.Node} node */
const exported = (node) => ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
/** One line, without comments. @param {ts.Node} node */
const line = (node) => ts.createPrinter({ removeComments: true }).printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()).replace(/\s+/g, ' ');

function report() {
  const lines = [];
  for (const node of source('index.d.ts').statements) {
    if (!exported(node)) continue;
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      const name = node.name?.text ?? '';
      lines.push(name);
      lines.push(...node.members.map((member) => `  ${name}.${line(member)}`).sort());
    } else {
      lines.push(line(node));
    }
  }
  return `${lines.join('\n')}\n`;
}

test('the API is the one written down', () => {
  const file = join(root, 'api.txt');
  const now = report();
  if (process.env.VIGIE_UPDATE === '1') writeFileSync(file, now);
  assert.equal(readFileSync(file, 'utf8'), now, 'VIGIE_UPDATE=1 npm run unit writes api.txt anew; CHANGELOG.md wants a line');
});

test('index.js exports what index.d.ts declares, and nothing else', () => {
  const declared = source('index.d.ts').statements.flatMap((node) => {
    if (!exported(node)) return [];
    if (ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)) return [node.name?.text];
    if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText());
    return [];
  });
  const real = source('index.js').statements.flatMap((node) =>
    ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements.map(({ name }) => name.text) : [],
  );
  assert.deepEqual([...real].sort(), [...declared].sort());
});
