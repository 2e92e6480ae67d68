/** The check of the step book sees each run that a promise forbids. */
import { describe, expect, it } from 'vitest';
import { checkStepBook } from '../../helpers/step-book-check.ts';

const book = (...lines: string[]) => checkStepBook(`${lines.join('\n')}\n`);

describe('checkStepBook', () => {
  it('is content with a run that nothing cut off', () => {
    const lines = ['list /m', 'read /m/a b', 'measure /m/a b', 'recognise /m/a b'];
    expect(book(...lines.flatMap(step => [`start 1 ${step}`, `end 1 ${step}`]))).toEqual({
      repeated: 0,
      finished: { list: 1, read: 1, measure: 1, recognise: 1 },
      complaints: [],
    });
  });

  it('counts what was cut off and began again', () => {
    const checked = book('start 1 list /m', 'kill', 'start 1 list /m', 'end 1 list /m', 'kill');
    expect(checked).toEqual({ repeated: 1, finished: { list: 1 }, complaints: [] });
  });

  it('lets a body run again whose end nobody was told', () => {
    const checked = book('start 1 read /a', 'end 1 read /a', 'kill', 'start 1 read /a');
    expect(checked).toMatchObject({ repeated: 1, complaints: [] });
  });

  it('complains when a body runs twice in one process', () => {
    expect(book('start 1 read /a', 'end 1 read /a', 'start 1 read /a').complaints).toEqual([
      '1 read /a began twice in one process',
    ]);
  });

  it('complains when a body runs after what awaited it', () => {
    expect(
      book('start 1 read /a', 'start 1 measure /a', 'kill', 'start 1 read /a').complaints,
    ).toEqual(['1 read /a began after what awaited it']);
    expect(
      book('start 1 list /m', 'start 1 read /m/a', 'kill', 'start 1 list /m').complaints,
    ).toEqual(['1 list /m began after what awaited it']);
  });

  it('keeps audits and packages apart', () => {
    expect(
      book('start 1 measure /a', 'start 1 read /b', 'start 2 read /a', 'start 2 list /m')
        .complaints,
    ).toEqual(['2 list /m began after what awaited it']);
  });
});
