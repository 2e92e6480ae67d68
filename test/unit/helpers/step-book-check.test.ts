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

  it('complains when a body runs after its answer was seen', () => {
    expect(book('start 1 read /a', 'answered 1 /a', 'kill', 'start 1 read /a').complaints).toEqual([
      '1 read /a began after it was answered',
    ]);
    expect(book('start 1 read /a b', 'answered 1', 'kill', 'start 1 read /c').complaints).toEqual([
      '1 read /c began after it was answered',
    ]);
    expect(book('answered 1 /a', 'answered 1', 'start 2 read /a').complaints).toEqual([]);
    expect(book('answered 1 /a', 'start 1 read /b').complaints).toEqual([]);
  });

  it('counts only what the last audit finished and repeated', () => {
    expect(book('start 1 read /a', 'kill', 'start 1 read /a', 'start 2 read /a').repeated).toBe(0);
    expect(book('end 1 list /m', 'end 1 read /a', 'end 2 list /m', 'end 2 list /m')).toMatchObject({
      finished: { list: 1 },
    });
  });

  it('keeps audits and packages apart', () => {
    expect(
      book('start 1 measure /a', 'start 1 read /b', 'start 2 read /a', 'start 2 list /m')
        .complaints,
    ).toEqual(['2 list /m began after what awaited it']);
  });
});
