/** What copying, changing, comparing and encoding values costs, beside structuredClone and JSON. */
import { Bench } from 'tinybench';
import { copyValue } from '../src/core/values.ts';
import { decodeValue, encodeParts, encodeValue, type PartWriter } from '../src/state/codec.ts';
import { openDraft, readOnlyView } from '../src/state/draft.ts';
import { chainHash } from '../src/state/hash.ts';
import { applyPatch, diff, type Patch } from '../src/state/patch.ts';

const envelope = {
  id: 'm-1',
  type: 'account',
  key: 'alice',
  action: 'move',
  input: { amount: 10 },
  deadline: 1_000_000_000_000,
  attempt: 1,
  numbering: { sender: 'node-1', number: 17, floor: 16 },
};

const small = {
  balance: 120,
  owner: 'alice example',
  tags: ['a', 'b', 'c'],
  history: [
    { at: 1_700_000_000_000, amount: 5, by: 'bob' },
    { at: 1_700_000_000_001, amount: 7, by: 'carol' },
  ],
  flags: { open: true, vip: false },
  note: 'hello world, this is a note',
  limits: { daily: 1_000, monthly: 20_000 },
  nested: { a: 1, b: 2, c: [1, 2, 3, 4, 5] },
};

const large = {
  balance: 120,
  items: Array.from({ length: 100 }, (_, id) => ({ id, name: `item ${id} of 100`, amount: 100 })),
};

function changeSmall(): typeof small {
  const draft = openDraft(small);
  draft.state.balance += 10;
  return draft.close();
}

function changeLarge(): typeof large {
  const draft = openDraft(large);
  const item = draft.state.items[50];
  if (item !== undefined) item.amount += 1;
  return draft.close();
}

function casesOf(name: string, value: object, change: () => object): Record<string, () => unknown> {
  const next = change();
  const patch = diff(value, next) as Patch; // The change is one.
  const bytes = encodeValue(value);
  const text = JSON.stringify(value);
  return {
    [`${name}: structuredClone`]: () => structuredClone(value),
    [`${name}: JSON there and back`]: () => JSON.parse(JSON.stringify(value)),
    [`${name}: copyValue`]: () => copyValue(value, 'bench'),
    [`${name}: draft, change, close`]: change,
    [`${name}: diff`]: () => diff(value, next),
    [`${name}: applyPatch`]: () => applyPatch(value, patch),
    [`${name}: encode the patch`]: () => encodeValue(patch),
    [`${name}: encodeValue`]: () => encodeValue(value),
    [`${name}: encodeParts`]: () => encodeParts(writeOne, value),
    [`${name}: JSON.stringify to bytes`]: () => Buffer.from(JSON.stringify(value)),
    [`${name}: decodeValue`]: () => decodeValue(bytes),
    [`${name}: JSON.parse`]: () => JSON.parse(text),
    [`${name}: chainHash`]: () => chainHash(bytes),
  };
}

function writeOne(writer: PartWriter, value: unknown): void {
  writer.value(value);
}

const bench = new Bench({ time: 150, warmupTime: 50 });
const cases = {
  'envelope: structuredClone': () => structuredClone(envelope),
  'envelope: copyValue': () => copyValue(envelope, 'bench'),
  '300 B: draft and close, unchanged': () => {
    const draft = openDraft(small);
    draft.state.balance;
    return draft.close();
  },
  '300 B: view, two reads': () => {
    const view = readOnlyView(small);
    return view.balance + view.limits.daily;
  },
  ...casesOf('300 B', small, changeSmall),
  ...casesOf('4 KB', large, changeLarge),
};
// Many calls in one sample: reading the clock costs as much as the shortest of them.
const callsEach = 64;
let kept: unknown;
for (const [name, run] of Object.entries(cases)) {
  bench.add(name, () => {
    for (let call = 0; call < callsEach; call++) kept = run();
  });
}
await bench.run();

console.table(
  bench.tasks.map(({ name, result }) => ({
    case: name,
    'ns/op':
      'latency' in result ? Math.round((result.latency.p50 * 1_000_000) / callsEach) : 'failed',
  })),
);
console.log(
  `300 B: ${JSON.stringify(small).length} B of JSON, ${encodeValue(small).length} B encoded;`,
  `4 KB: ${JSON.stringify(large).length} B of JSON, ${encodeValue(large).length} B encoded,`,
  `patch ${encodeValue(diff(large, changeLarge())).length} B`,
  kept === undefined ? '' : '',
);
