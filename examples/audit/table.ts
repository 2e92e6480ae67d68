/** A report as a table for people. */
import type { AuditReport, Findings } from './report.ts';

/** The lines of a table; the most frequent licence first. How the work went is said when known. */
export function reportTable(report: Findings & Partial<AuditReport>): string {
  const licences = [...report.byLicence].sort(
    ([one, a], [other, b]) => b - a || (one < other ? -1 : 1),
  );
  const blocks = [
    columns([
      ['packages', count(report.packages)],
      ['files', count(report.files)],
      ['bytes', count(report.bytes)],
      ...workOf(report),
    ]),
    titled('licence', columns(licences.map(([licence, number]) => [licence, count(number)]))),
    titled('no licence declared', report.undeclared),
    titled('licence text of another licence', report.mismatched),
    titled('runs a script when installed', report.installScripts),
    titled(
      'in several versions',
      [...report.duplicates]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, versions]) => `${name}  ${versions.join(', ')}`),
    ),
  ];
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`;
}

function workOf({ turns, steps, resumed, repeated }: Partial<AuditReport>): [string, string][] {
  const finished = steps && Object.values(steps).reduce((sum, number) => sum + number, 0);
  return [
    ['turns', turns],
    ['steps', finished],
    ['steps resumed', resumed],
    ['steps repeated', repeated],
  ].flatMap(([name, number]) =>
    typeof name === 'string' && typeof number === 'number' ? [[name, count(number)]] : [],
  );
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map(line => `  ${line}`)];
}

/** Names to the left, numbers to the right. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const nameWidth = Math.max(0, ...rows.map(([name]) => name.length));
  const numberWidth = Math.max(0, ...rows.map(([, number]) => number.length));
  return rows.map(([name, number]) => `${name.padEnd(nameWidth)}  ${number.padStart(numberWidth)}`);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
