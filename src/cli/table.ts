/** Plain tables and texts for people: aligned columns, and nothing that would steer a terminal. */
import { styleText } from 'node:util';

/** A table: a title over each column, texts below. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** No cell behind the first is longer, in characters; what is cut ends in `…`. */
export const cellLengthMax = 80;

/** A table as lines. */
export function tableText({ columns, rows }: Table, hasColour = false): string {
  const cells = rows.map(row =>
    // The first column names things, and a name that is cut cannot be copied.
    columns.map((_, index) => (index === 0 ? lineOf : cellOf)(row[index] ?? '')),
  );
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map(row => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const head = line(columns);
  const titled = hasColour ? styleText('bold', head, { validateStream: false }) : head;
  return `${[titled, ...cells.map(line)].join('\n')}\n`;
}

/** Names and texts, one pair a line. */
export function fieldsText(fields: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  return fields.map(([name, text]) => `${name.padEnd(width)}  ${printable(text)}\n`).join('');
}

/** A text without what a terminal would obey; lines stay lines. */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get out.
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function lineOf(text: string): string {
  return printable(text).replaceAll('\n', ' ');
}

function cellOf(text: string): string {
  const line = lineOf(text);
  return line.length <= cellLengthMax ? line : `${line.slice(0, cellLengthMax - 1)}…`;
}
