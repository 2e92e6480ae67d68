/** Tables line up, and nothing in them steers a terminal. */
import { describe, expect, it } from 'vitest';
import { cellLengthMax, fieldsText, printable, tableText } from '../../../src/cli/table.ts';

const escapeCharacter = String.fromCharCode(27);

describe('tables', () => {
  it('line up their columns', () => {
    const rows = [
      ['desk/a', 'yes'],
      ['desk/long-key', 'no'],
    ];
    expect(tableText({ columns: ['ADDRESS', 'IN MEMORY'], rows })).toBe(
      'ADDRESS        IN MEMORY\ndesk/a         yes\ndesk/long-key  no\n',
    );
  });

  it('show their titles when they are empty, and rows that lack a cell', () => {
    expect(tableText({ columns: ['ID', 'AT'], rows: [] })).toBe('ID  AT\n');
    expect(tableText({ columns: ['ID', 'AT'], rows: [['1']] })).toBe('ID  AT\n1\n');
  });

  it('colour their titles only when asked', () => {
    const table = { columns: ['ID'], rows: [['1']] };
    expect(tableText(table)).not.toContain(escapeCharacter);
    expect(tableText(table, true)).toContain(`${escapeCharacter}[1mID`);
  });

  it('cut long cells, but never names', () => {
    const long = 'x'.repeat(cellLengthMax + 1);
    const text = tableText({ columns: ['ID', 'DATA'], rows: [[long, long]] });
    expect(text).toContain(`${long}  ${'x'.repeat(cellLengthMax - 1)}…\n`);
  });
});

describe('texts', () => {
  it('keep lines and lose what a terminal would obey', () => {
    expect(printable(`a\nb${escapeCharacter}[31mc\u0007\u009b\u202e`)).toBe(
      'a\nb\\u001b[31mc\\u0007\\u009b\\u202e',
    );
    expect(tableText({ columns: ['A'], rows: [[`x${escapeCharacter}\ny`]] })).toBe(
      'A\nx\\u001b y\n',
    );
  });

  it('line up names', () => {
    expect(
      fieldsText([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toBe('a     1\nlong  2\n');
    expect(fieldsText([])).toBe('');
  });
});
