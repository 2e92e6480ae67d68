/** What a sender is told that is known of its message, whatever became of it. */
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../../src/core/envelope.ts';
import type { Outcome } from '../../../src/core/errors.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import { type Carrier, Shipment } from '../../../src/delivery/shipment.ts';

const carrier: Carrier = {
  hand: () => undefined,
  withdraw: () => true,
  renewed: shipment => shipment.envelope,
  pause: (_shipment, error) => (error.code === 'ENGINE_UNAVAILABLE' ? 1 : undefined),
  setTimer: () => ({ cancel: () => undefined }),
  defer: task => task(),
  monotonic: () => 0,
  released: () => undefined,
  settled: () => undefined,
};

interface Sent {
  readonly shipment: Shipment;
  readonly told: TroupeError[];
}

function sent(): Sent {
  const told: TroupeError[] = [];
  // Only what names the message in an error is looked at.
  const envelope = { id: 'm1', type: 'counter', key: 'one', action: 'add' } as Envelope;
  const way = { now: 0, dueAt: 1_000, address: 'counter/one', receiver: '', isRead: false };
  const answer = {
    resolve: () => undefined,
    reject: (error: TroupeError) => void told.push(error),
  };
  const shipment = new Shipment(carrier, envelope, way, answer);
  shipment.send();
  return { shipment, told };
}

function refusal(outcome: Outcome, code: 'OVERLOADED' | 'REJECTED' = 'OVERLOADED'): TroupeError {
  return new TroupeError(code, { detail: 'as a test says', outcome });
}

describe('a message that was refused', () => {
  it('is said not to have been executed', () => {
    const { shipment, told } = sent();
    shipment.reject(refusal('not-executed'));
    expect(told).toMatchObject([{ code: 'OVERLOADED', outcome: 'not-executed' }]);
  });

  it('may take effect when its record in the inbox may still land', () => {
    const { shipment, told } = sent();
    shipment.wasRecorded = true;
    shipment.reject(refusal('not-executed'));
    expect(told).toMatchObject([{ code: 'OVERLOADED', outcome: 'unknown' }]);
  });

  it('may still take effect when nobody waits for it any longer', () => {
    const { shipment, told } = sent();
    shipment.wasRecorded = true;
    const cause = { detail: 'as a test says', outcome: 'not-executed' } as const;
    shipment.reject(new TroupeError('ENGINE_UNAVAILABLE', cause));
    shipment.onDeadline();
    expect(told).toMatchObject([{ code: 'DEADLINE_EXCEEDED', outcome: 'unknown' }]);
  });

  it('has been answered when the answer was recorded', () => {
    const { shipment, told } = sent();
    shipment.wasRecorded = true;
    shipment.reject(refusal('rolled-back', 'REJECTED'));
    expect(told).toMatchObject([{ code: 'REJECTED', outcome: 'rolled-back' }]);
  });
});
