/**
 * The rule that keeps the simulator honest: what the simulator runs reads no clock, sets no timer,
 * draws no random number and touches no file or socket except through a port.
 */
import {
  isCallExpression,
  isIdentifier,
  isImportDeclaration,
  isNamedImports,
  isNewExpression,
  isPropertyAccessExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { importsOf } from './imports.ts';
import { sourcesIn } from './layer-rules.ts';
import { placeOf, type Rule, type Source, walk } from './tree.ts';

/** A file that may touch the world although the simulator runs it. */
export interface WorldException {
  readonly path: string;
  readonly what: string;
  readonly reason: string;
}

/** The exceptions; one that nothing needs any more is a complaint too. */
export const worldExceptions: readonly WorldException[] = [
  {
    path: 'src/node/storage-worker.ts',
    what: 'node:worker_threads',
    reason: 'the entry of a thread; the simulator calls what it calls, on its own disk',
  },
  {
    path: 'src/testing/sim-platform.ts',
    what: 'setImmediate',
    reason: 'the simulator itself lives in a real process and visits its event loop',
  },
  ...[
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:net',
    'node:timers',
    'node:timers/promises',
    'performance',
  ].map(what => ({
    path: 'src/testing/sim-trap.ts',
    what,
    reason: 'the trap replaces it by something that throws',
  })),
];

const facesTheWorld = /^src\/(engines|cli|gateway)\//;

const globals = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'fetch',
  'WebSocket',
  // When the garbage collector runs is not for a seed to say.
  'WeakRef',
  'FinalizationRegistry',
]);

const members = new Set([
  'Date.now',
  'Math.random',
  'process.hrtime',
  'process.memoryUsage',
  'process.cpuUsage',
  'process.resourceUsage',
  'AbortSignal.timeout',
  'crypto.randomUUID',
  'crypto.getRandomValues',
  'crypto.subtle',
]);

const modules = new Set(
  'fs net tls dgram dns http https http2 os child_process worker_threads cluster timers perf_hooks sqlite'
    .split(' ')
    .flatMap(name => [name, `${name}/promises`]),
);

const pureCrypto = new Set(['createHash', 'hash', 'timingSafeEqual', 'Hash']);

/** The rule, with the exceptions of the project. */
export const throughPorts: Rule = throughPortsExcept(worldExceptions);

/** The rule with other exceptions. */
export function throughPortsExcept(exceptions: readonly WorldException[]): Rule {
  return {
    name: 'simulated code reaches time, chance, disk and network through ports',
    check: tree => {
      const needed = new Set<WorldException>();
      const complaints = sourcesIn(tree, 'src/')
        .filter(({ path }) => !facesTheWorld.test(path))
        .flatMap(source =>
          touchesIn(source).flatMap(({ what, node }) => {
            const match = exceptions.find(one => one.path === source.path && one.what === what);
            if (match !== undefined) needed.add(match);
            return match === undefined ? [`${placeOf(source, node)} uses ${what}`] : [];
          }),
        );
      const unneeded = exceptions.filter(one => !needed.has(one));
      return [...complaints, ...unneeded.map(one => `${one.path}: nothing uses ${one.what}`)];
    },
  };
}

interface Touch {
  readonly what: string;
  readonly node: Node;
}

function touchesIn(source: Source): Touch[] {
  const found: Touch[] = importsOf(source)
    .filter(
      ({ isTypeOnly, specifier }) => !isTypeOnly && modules.has(specifier.replace(/^node:/, '')),
    )
    .map(({ specifier, node }) => ({ what: specifier, node }));
  walk(source.syntax, node => {
    const what = globalTouch(node) ?? memberTouch(node) ?? dateTouch(node);
    if (what !== undefined) found.push({ what, node });
    found.push(...cryptoTouches(node));
  });
  return found;
}

function globalTouch(node: Node): string | undefined {
  if (!isIdentifier(node) || !globals.has(node.text) || isNameOfSomethingElse(node)) {
    return undefined;
  }
  return node.text;
}

function memberTouch(node: Node): string | undefined {
  if (!isPropertyAccessExpression(node)) return undefined;
  const path = node
    .getText()
    .replace(/\s|\?/g, '')
    .replace(/^globalThis\./, '');
  return members.has(path) ? path : undefined;
}

function dateTouch(node: Node): string | undefined {
  const isMade = isNewExpression(node) || isCallExpression(node);
  if (!isMade || !isIdentifier(node.expression) || node.expression.text !== 'Date') {
    return undefined;
  }
  const readsClock = isCallExpression(node) || (node.arguments?.length ?? 0) === 0;
  return readsClock ? 'Date' : undefined;
}

function cryptoTouches(node: Node): Touch[] {
  if (!isImportDeclaration(node)) return [];
  if (!/^['"](node:)?crypto['"]$/.test(node.moduleSpecifier.getText())) return [];
  const clause = node.importClause;
  if (clause?.phaseModifier === SyntaxKind.TypeKeyword) return [];
  const bindings = clause?.namedBindings;
  if (bindings === undefined || !isNamedImports(bindings)) return [{ what: 'node:crypto', node }];
  return bindings.elements
    .map(element => (element.propertyName ?? element.name).getText())
    .filter(name => !pureCrypto.has(name))
    .map(name => ({ what: `node:crypto ${name}`, node }));
}

/** Whether an identifier is the name of a member, a field or a method, and not the global. */
function isNameOfSomethingElse(node: Node): boolean {
  const parent = node.parent;
  if (isPropertyAccessExpression(parent)) {
    return parent.name === node && parent.expression.getText() !== 'globalThis';
  }
  return nameHolders.has(parent.kind) && 'name' in parent && parent.name === node;
}

const nameHolders = new Set<SyntaxKind>([
  SyntaxKind.PropertyAssignment,
  SyntaxKind.PropertySignature,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
]);
