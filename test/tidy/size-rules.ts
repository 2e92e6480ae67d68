/** The rules of size: files, lines, function bodies, parameters. */
import {
  isArrowFunction,
  isCallExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTemplateExpression,
  type Node,
} from 'typescript/unstable/ast';
import { lineOf, placeOf, type Rule, type Source, walk } from './tree.ts';

const fileLinesMax = 400;
const bodyLinesMax = 60;
const parametersMax = 4;
const lineColumnsMax = 100;

/** Files are short enough to be read in one go. */
export const fileLines: Rule = {
  name: `no file has more than ${fileLinesMax} lines`,
  check: tree =>
    tree.sources.flatMap(({ path, text }) => {
      const count = text.replace(/\n$/, '').split('\n').length;
      return count > fileLinesMax ? [`${path} has ${count} lines`] : [];
    }),
};

/**
 * Lines fit the page. Text inside a string may go over: a message that is cut into pieces cannot be
 * searched for, and the formatter leaves it whole too.
 */
export const lineColumns: Rule = {
  name: `no line is longer than ${lineColumnsMax} columns`,
  check: tree =>
    tree.sources.flatMap(source => {
      const long = linesLongerThanMax(source.text);
      if (long.length === 0) return [];
      const inStrings = positionsInStrings(source);
      return long
        .filter(({ position }) => !inStrings(position))
        .map(({ line, columns }) => `${source.path}:${line} has ${columns} columns`);
    }),
};

/** Function bodies fit a screen. A `describe` is a folder of tests, not a function. */
export const bodyLines: Rule = {
  name: `no function body has more than ${bodyLinesMax} lines`,
  check: tree =>
    tree.sources.flatMap(source =>
      functionsOf(source).flatMap(node => {
        const body = 'body' in node ? (node.body as Node | undefined) : undefined;
        if (body === undefined || isGroupOfTests(node)) return [];
        const count = lineOf(source, body.end) - lineOf(source, body.getStart(source.syntax)) - 1;
        return count > bodyLinesMax ? [`${placeOf(source, node)} has ${count} lines`] : [];
      }),
    ),
};

/** More than a few parameters want an options object. */
export const parameterCount: Rule = {
  name: `no function has more than ${parametersMax} parameters`,
  check: tree =>
    tree.sources.flatMap(source =>
      functionsOf(source).flatMap(node => {
        const count = 'parameters' in node ? (node.parameters as readonly Node[]).length : 0;
        return count > parametersMax ? [`${placeOf(source, node)} has ${count} parameters`] : [];
      }),
    ),
};

function functionsOf(source: Source): Node[] {
  const found: Node[] = [];
  walk(source.syntax, node => {
    if (isFunctionLikeDeclaration(node)) found.push(node);
  });
  return found;
}

function isGroupOfTests(node: Node): boolean {
  if (!isArrowFunction(node) || !isCallExpression(node.parent)) return false;
  let callee: Node = node.parent.expression;
  while (isCallExpression(callee) || isPropertyAccessExpression(callee)) callee = callee.expression;
  return isIdentifier(callee) && callee.text === 'describe';
}

interface LongLine {
  readonly line: number;
  readonly columns: number;
  /** Where in the text the first column too many stands. */
  readonly position: number;
}

function linesLongerThanMax(text: string): LongLine[] {
  const found: LongLine[] = [];
  let start = 0;
  text.split('\n').forEach((content, index) => {
    if (content.length > lineColumnsMax) {
      const position = start + lineColumnsMax;
      found.push({ line: index + 1, columns: content.length, position });
    }
    start += content.length + 1;
  });
  return found;
}

function positionsInStrings(source: Source): (position: number) => boolean {
  const ranges: (readonly [number, number])[] = [];
  walk(source.syntax, node => {
    const isText =
      isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node) || isTemplateExpression(node);
    // Two columns beyond the end: the quote's comma, bracket or semicolon.
    if (isText) ranges.push([node.getStart(source.syntax), node.end + 2]);
  });
  return position => ranges.some(([start, end]) => start <= position && position < end);
}
