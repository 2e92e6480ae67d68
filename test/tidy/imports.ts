/**
 * What a source refers to: every module it names by import, re-export, dynamic import or import
 * type, and every file that it names in a string (workers and child processes start that way).
 */
import { posix } from 'node:path';
import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteral,
  isTemplateExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type Source, walk } from './tree.ts';

/** A module that a source names. */
export interface ImportedModule {
  readonly specifier: string;
  /** The path below the root that a relative specifier points to. */
  readonly target: string | undefined;
  /** Whether the import is gone at run time. */
  readonly isTypeOnly: boolean;
  readonly node: Node;
}

/** The modules that a source names, in order. */
export function importsOf(source: Source): ImportedModule[] {
  const found: ImportedModule[] = [];
  walk(source.syntax, node => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    const target = specifier.startsWith('.')
      ? posix.join(posix.dirname(source.path), specifier)
      : undefined;
    found.push({ specifier, target, isTypeOnly: isTypeOnly(node), node });
  });
  return found;
}

/**
 * The files that strings of a source may mean: beside it, or below the root. A string that ends in
 * a dot and a variable stands for a source, or in the built package for what was made of it.
 */
export function filesNamedIn(source: Source): string[] {
  const found: string[] = [];
  walk(source.syntax, node => {
    const isOpen = isTemplateExpression(node) && node.head.text.endsWith('.');
    const name = isOpen ? `${node.head.text}ts` : (textOf(node) ?? '');
    if (!name.endsWith('.ts')) return;
    found.push(posix.join(posix.dirname(source.path), name), posix.normalize(name));
  });
  return found;
}

function specifierOf(node: Node): string | undefined {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    return textOf(node.arguments[0]);
  }
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) {
    return textOf(node.argument.literal);
  }
  return undefined;
}

function textOf(node: Node | undefined): string | undefined {
  return node !== undefined && isStringLiteral(node) ? node.text : undefined;
}

function isTypeOnly(node: Node): boolean {
  if (isImportTypeNode(node)) return true;
  if (isExportDeclaration(node)) return node.isTypeOnly;
  if (!isImportDeclaration(node)) return false;
  return node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
}
