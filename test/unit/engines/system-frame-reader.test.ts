/** Frames come out of a stream whole, however it is cut. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../../src/engines/system/frame-reader.ts';

it('finds the same frames however the stream is cut', () => {
  const frames = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(frames, cuts, (sent, lengths) => {
      const stream = Buffer.concat(sent.map(encodeFrame));
      const reader = new FrameReader(40);
      const got: number[][] = [];
      for (let start = 0, index = 0; start < stream.length; index++) {
        const end = start + (lengths[index % lengths.length] ?? 1);
        for (const frame of reader.push(stream.subarray(start, end)) ?? []) got.push([...frame]);
        start = end;
      }
      expect(got).toEqual(sent.map(frame => [...frame]));
      expect(reader.isAtBoundary).toBe(true);
    }),
  );
});

it('knows that it stands within a frame', () => {
  const reader = new FrameReader(10);
  expect(reader.isAtBoundary).toBe(true);
  expect(reader.push(Uint8Array.of(0, 0))).toEqual([]);
  expect(reader.isAtBoundary).toBe(false);
  expect(reader.push(Uint8Array.of(0, 1))).toEqual([]);
  expect(reader.isAtBoundary).toBe(false);
  expect(reader.push(Uint8Array.of(7))).toEqual([Buffer.of(7)]);
  expect(reader.isAtBoundary).toBe(true);
});

it('refuses a length beyond the limit as soon as it is announced', () => {
  expect(new FrameReader(10).push(Uint8Array.of(0, 0, 0, 11))).toBeUndefined();
  expect(new FrameReader(10).push(Uint8Array.of(0, 0, 0, 10))).toEqual([]);
});

it('copies what it encodes', () => {
  const frame = Uint8Array.of(1, 2);
  const bytes = encodeFrame(frame);
  frame.fill(0);
  expect([...bytes]).toEqual([0, 0, 0, 2, 1, 2]);
});
