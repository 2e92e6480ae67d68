/** The rules of what a file says: names, comments, exports, failures, paths. */
import {
  isCallExpression,
  isExportAssignment,
  isIdentifier,
  isNewExpression,
  isPropertyAccessExpression,
  isThrowStatement,
  isVariableStatement,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { importsOf } from './imports.ts';
import { sourcesIn } from './layer-rules.ts';
import { placeOf, type Rule, type Source, walk } from './tree.ts';

const kebabName = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const emptyWord = /^(utils?|common|helpers?|misc|managers?)$/;

/** Kebab-case everywhere, and in src no word that says nothing. */
export const fileNames: Rule = {
  name: 'files and folders are in kebab-case and named for something',
  check: tree =>
    tree.sources.flatMap(({ path }) => {
      const parts = path.split('/');
      const found = parts.filter(part => !kebabName.test(part)).map(part => `${path}: ${part}`);
      if (parts[0] !== 'src') return found;
      const words = parts.flatMap(part => part.replace(/\.ts$/, '').split(/[-.]/));
      const empty = words.filter(word => emptyWord.test(word));
      return [...found, ...empty.map(word => `${path}: "${word}" says nothing`)];
    }),
};

/** The first thing in a file says which boundary or idea it is. */
export const openingComment: Rule = {
  name: 'each file opens with a comment',
  check: tree =>
    tree.sources.flatMap(({ path, text }) =>
      /^(#!.*\n)?\s*(\/\*|\/\/)/.test(text) ? [] : [`${path} opens without a comment`],
    ),
};

/** What others may use is explained where it is declared. */
export const exportsExplained: Rule = {
  name: 'every exported name has TSDoc',
  check: tree =>
    tree.sources
      .filter(({ path }) => !path.endsWith('.test.ts'))
      .flatMap(source => {
        const seen = new Set<string>();
        return source.syntax.statements
          .filter(isExportedDeclaration)
          .filter(statement => !isFurtherOverload(statement, seen))
          .filter(statement => !hasTsdoc(source, statement))
          .map(statement => `${placeOf(source, statement)} exports without TSDoc`);
      }),
};

/** A name is the same everywhere. */
export const noDefaultExports: Rule = {
  name: 'there are no default exports',
  check: tree =>
    tree.sources
      .filter(({ path }) => !path.endsWith('.config.ts'))
      .flatMap(source =>
        source.syntax.statements
          .filter(statement => isExportAssignment(statement) || hasModifier(statement, 'default'))
          .map(statement => `${placeOf(source, statement)} is a default export`),
      ),
};

/** Node runs the sources as they are, so imports name the file. */
export const importExtensions: Rule = {
  name: 'relative imports end in .ts',
  check: tree =>
    tree.sources.flatMap(source =>
      importsOf(source)
        .filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|json)$/.test(specifier))
        .map(({ specifier, node }) => `${placeOf(source, node)} imports ${specifier}`),
    ),
};

/** Laws run without a test runner and so throw plain errors; everything else has a code. */
export const onlyTroupeErrors: Rule = {
  name: 'src throws only TroupeError',
  check: tree =>
    sourcesIn(tree, 'src/')
      .filter(({ path }) => !path.startsWith('src/testing/'))
      .flatMap(source => {
        const found: string[] = [];
        walk(source.syntax, node => {
          const created = createdFailure(node);
          if (created === undefined || created === 'TroupeError') return;
          found.push(`${placeOf(source, node)} throws ${created}`);
        });
        return found;
      }),
};

const machinePath =
  /(?<![\w.$@-])(\/(home|root|work|Users)\/[\w.-]+|\/tmp\/[\w.-]+|[A-Z]:\\\\?Users\\)/;

/** The tree means the same on every machine. */
export const noMachinePaths: Rule = {
  name: 'no file holds a path of one machine',
  check: tree =>
    [...tree.files].flatMap(([path, text]) =>
      text.split('\n').flatMap((line, index) => {
        const match = machinePath.exec(line);
        return match === null ? [] : [`${path}:${index + 1} holds ${match[0]}`];
      }),
    ),
};

const declarationKinds = new Set<SyntaxKind>([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
]);

function isExportedDeclaration(node: Node): boolean {
  const isDeclaration = declarationKinds.has(node.kind) || isVariableStatement(node);
  return isDeclaration && hasModifier(node, 'export');
}

function hasModifier(node: Node, word: 'export' | 'default'): boolean {
  const kind = word === 'export' ? SyntaxKind.ExportKeyword : SyntaxKind.DefaultKeyword;
  const modifiers = 'modifiers' in node ? (node.modifiers as readonly Node[] | undefined) : [];
  return modifiers?.some(modifier => modifier.kind === kind) ?? false;
}

function hasTsdoc(source: Source, node: Node): boolean {
  const before = source.text.slice(node.pos, node.getStart(source.syntax));
  const comments = before.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  // The first comment of a file is about the file; the first declaration needs one of its own.
  const own = source.text.slice(0, node.pos).trim() === '' ? comments.slice(1) : comments;
  return own.length > 0;
}

function isFurtherOverload(node: Node, seen: Set<string>): boolean {
  if (node.kind !== SyntaxKind.FunctionDeclaration || !('name' in node)) return false;
  const name = (node.name as Node | undefined)?.getText() ?? '';
  const isSeen = seen.has(name);
  seen.add(name);
  return isSeen;
}

/** The class of a failure that a node throws or rejects with, where it is made on the spot. */
function createdFailure(node: Node): string | undefined {
  const value = isThrowStatement(node) ? node.expression : rejectedValue(node);
  return value !== undefined && isNewExpression(value) ? value.expression.getText() : undefined;
}

function rejectedValue(node: Node): Node | undefined {
  if (!isCallExpression(node)) return undefined;
  const callee = node.expression;
  const name = isPropertyAccessExpression(callee) ? callee.name : callee;
  return isIdentifier(name) && name.text === 'reject' ? node.arguments[0] : undefined;
}
