/** The pure parts of the embedded engine against models: frames, the index table, messages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  bytesOf,
  decodeRecord,
  encodeRecord,
  type RecordDraft,
  recordBytes,
} from '../../../src/engines/embedded/frame.ts';
import { IndexTable, spanOf } from '../../../src/engines/embedded/index-table.ts';
import { MessageReader, MessageWriter } from '../../../src/engines/embedded/message-bytes.ts';

const salt = 0x1234_5678;

const drafts: fc.Arbitrary<RecordDraft> = fc.record({
  position: fc.nat(2 ** 31).map(place => place * 8),
  previous: fc.maxSafeNat(),
  kind: fc.integer({ min: 1, max: 4 }),
  isSnapshot: fc.boolean(),
  extra: fc.option(fc.constantFrom(0, 5, 1.9e12, Number.POSITIVE_INFINITY), { nil: undefined }),
  name: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  body: fc.uint8Array({ maxLength: 100 }),
});

describe('record frames', () => {
  it('decode to what was encoded, and fail when any covered bit is turned over', () => {
    fc.assert(
      fc.property(drafts, fc.nat(), fc.nat(7), (draft, place, bit) => {
        const length = recordBytes(draft.name.length, draft.body.length);
        const bytes = bytesOf(new Uint8Array(length));
        encodeRecord(bytes, 0, draft, salt);
        const header = decodeRecord(bytes, 0, salt);
        const { name: _name, body, ...rest } = draft;
        expect(header).toMatchObject(rest);
        expect(header && bodyOf(bytes, 0, header)).toEqual(body);
        expect(decodeRecord(bytes, 0, salt + 1)).toBeUndefined();
        const covered = 40 + draft.name.length + body.length;
        const offset = place % covered;
        bytes.buffer[offset] = (bytes.buffer[offset] ?? 0) ^ (1 << bit);
        const damaged = decodeRecord(bytes, 0, salt);
        expect(damaged && bodyOf(bytes, 0, damaged)).toBeUndefined();
      }),
    );
  });
});

describe('the index table', () => {
  it('holds what a map holds, through growth', () => {
    const index = new IndexTable();
    const model = new Map<string, number>();
    for (let n = 0; n < 40_000; n += 1) {
      const name = `agent/${(n * 7_919) % 20_011}`;
      const span = spanOf(Buffer.from(name));
      expect(index.find(span) >= 0).toBe(model.has(name));
      index.setTail(index.findOrAdd(span), n);
      model.set(name, n);
    }
    expect(index.rowCount).toBe(model.size);
    for (const [name, tail] of model) {
      const row = index.find(spanOf(Buffer.from(name)));
      expect(index.tail(row)).toBe(tail);
      expect(Buffer.from(index.nameBytes(row)).toString()).toBe(name);
      expect(index.wakeAt(row)).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('keeps names whole where a page of names ends', () => {
    const index = new IndexTable();
    const names = Array.from({ length: 1_200 }, (_, n) => `${n}/`.padEnd(1_000 + (n % 50), 'k'));
    for (const name of names) index.findOrAdd(spanOf(Buffer.from(name)));
    expect(index.pages.names.length).toBeGreaterThan(1);
    for (const [row, name] of names.entries()) {
      expect(Buffer.from(index.nameBytes(row)).toString()).toBe(name);
      expect(index.startsWith(row, Buffer.from(name.slice(0, 9)))).toBe(true);
      expect(index.startsWith(row, Buffer.from(`${name}x`))).toBe(false);
    }
  });
});

describe('messages', () => {
  it('give back what was written, in order', () => {
    const items = fc.array(
      fc.tuple(fc.nat(255), fc.double({ noNaN: true }), fc.string({ unit: 'grapheme' })),
    );
    const writer = new MessageWriter();
    fc.assert(
      fc.property(items, written => {
        for (const [byte, number, text] of written) {
          writer.byte(byte);
          writer.number(number);
          writer.text(text);
        }
        const reader = new MessageReader(writer.take());
        const read = written.map(() => [reader.byte(), reader.number(), reader.text()]);
        expect(read).toEqual(written);
        expect(reader.hasMore).toBe(false);
      }),
    );
  });
});
