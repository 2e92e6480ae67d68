/** Keys on NATS as subjects of a bucket, and the stream that they lie in. */
import { describe, expect, it } from 'vitest';
import {
  keyOfSubject,
  patternOfPrefix,
  subjectOfKey,
} from '../../../src/engines/nats/key-subject.ts';
import { bucketConfig } from '../../../src/engines/nats/key-value-entry.ts';

const bucket = 'tp_x_main';

describe('keys as subjects', () => {
  it('come back as they were, and are picked out by what they begin with', () => {
    const keys = ['a', 'a/b', 'a//b', '/', '//', 'a/b/c/d/e', 'é/ü', '=', 'a=2F', '*', '>', '.'];
    expect(new Set(keys.map(key => subjectOfKey(bucket, key))).size).toBe(keys.length);
    for (const key of keys) {
      const subject = subjectOfKey(bucket, key);
      expect(keyOfSubject(bucket, subject)).toBe(key);
      expect(subject).toMatch(/^\$KV\.tp_x_main(\.[\w=-]+)+$/);
      for (let length = 0; length <= key.length; length++) {
        const pattern = patternOfPrefix(bucket, key.slice(0, length));
        expect(subject.startsWith(pattern.slice(0, -1))).toBe(true);
      }
    }
    expect(patternOfPrefix(bucket, 'nodes/a')).toBe('$KV.tp_x_main.nodes.>');
  });

  it('lie in a stream that keeps the last messages of each, on the disk and for good', () => {
    expect(bucketConfig(bucket, 3)).toMatchObject({
      name: 'KV_tp_x_main',
      subjects: ['$KV.tp_x_main.>'],
      storage: 'file',
      num_replicas: 3,
      max_msgs_per_subject: 8,
      max_age: 0,
      allow_direct: false,
    });
  });
});
