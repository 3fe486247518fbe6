import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answers,
  cutReply,
  HEADER_BYTES,
  parseQuery,
  type Query,
  RCODE,
  rcodeOf,
  replyTo,
  TYPE,
  withId,
} from './message.ts';

const OPT = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];

/** A query as a client sends it. */
function question(
  name: string,
  options: { type?: number; klass?: number; flags?: number; extra?: readonly number[] } = {},
) {
  const { type = TYPE.A, klass = 1, flags = 0x0100, extra = [] } = options;
  const labels = name === '' ? [] : name.split('.').map((label) => [label.length, ...Buffer.from(label, 'latin1')]);
  const head = [0x12, 0x34, flags >> 8, flags & 0xff, 0, 1, 0, 0, 0, 0, 0, extra.length > 0 ? 1 : 0];
  return Buffer.from([...head, ...labels.flat(), 0, type >> 8, type & 0xff, klass >> 8, klass & 0xff, ...extra]);
}

function queryOf(bytes: Buffer): Query {
  const parsed = parseQuery(bytes);
  if (parsed.kind !== 'query') throw new Error(parsed.kind);
  return parsed.query;
}

describe('a query', () => {
  test('has a name, a type, and the size of the answer that the client takes', () => {
    expect(queryOf(question('Db.App'))).toMatchObject({
      ...{ id: 0x1234, name: 'db.app', type: TYPE.A, isInternet: true, udpBytes: 512, hasOptions: false },
    });
    expect(queryOf(question('db', { extra: OPT }))).toMatchObject({
      ...{ hasOptions: true, statedBytes: 4096, udpBytes: 1232 },
    });
    expect(queryOf(question('')).name).toBe('');
    expect(queryOf(question('db', { klass: 3 })).isInternet).toBe(false);
  });

  test('a dot inside of a label separates nothing', () => {
    const bytes = Buffer.from([...question('').subarray(0, HEADER_BYTES), 4, ...Buffer.from('a.db'), 0, 0, 1, 0, 1]);
    expect(queryOf(bytes).name).toBe('a\\.db');
  });

  test.each([
    ['another opcode', question('db', { flags: 0x2800 }), RCODE.notImplemented],
    ['two questions', Buffer.concat([question('db').fill(2, 5, 6), Buffer.from([0, 0, 1, 0, 1])]), RCODE.format],
    ['no question', question('db').fill(0, 5, 6), RCODE.format],
    ['a pointer as a name', Buffer.from([...question('').subarray(0, 12), 0xc0, 12, 0, 1, 0, 1]), RCODE.format],
    ['a name of 256 bytes', question(Array(128).fill('a').join('.')), RCODE.format],
    ['a name without an end', question('db').subarray(0, 14), RCODE.format],
    ['no type', question('db').subarray(0, -3), RCODE.format],
    ['a record without an end', question('db', { extra: OPT.slice(0, 8) }), RCODE.format],
    ['a size that is a lie', question('db', { extra: [...OPT.slice(0, 9), 0xff, 0xff] }), RCODE.format],
    ['too many bytes', Buffer.concat([question('db'), Buffer.alloc(4096)]), RCODE.format],
  ])('%s is refused', (_, bytes, rcode) => {
    const parsed = parseQuery(bytes);
    expect(parsed.kind).toBe('refused');
    if (parsed.kind !== 'refused') return;
    expect([parsed.reply.length, parsed.reply.readUInt16BE(0), rcodeOf(parsed.reply)]).toEqual([12, 0x1234, rcode]);
  });

  test('an answer, or too few bytes, gets no answer', () => {
    expect(parseQuery(question('db', { flags: 0x8180 })).kind).toBe('ignored');
    expect(parseQuery(Buffer.from([1, 2, 3])).kind).toBe('ignored');
  });

  test('whatever the bytes are, nothing is thrown, and a refusal is shorter than 13 bytes', () => {
    const valid = fc.constantFrom(question('db', { extra: OPT }), question('a.b.c'), question('x', { type: TYPE.PTR }));
    const damaged = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(60), fc.nat(255))), fc.nat(60))
      .map(([bytes, changes, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
        return copy.subarray(0, Math.max(0, copy.length - (cut % 20)));
      });
    const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        const parsed = parseQuery(bytes);
        if (parsed.kind === 'refused') expect(parsed.reply.length).toBe(HEADER_BYTES);
        if (parsed.kind !== 'query') return;
        expect(parsed.query.end).toBeLessThanOrEqual(bytes.length);
        const reply = replyTo(parsed.query, { rcode: 0, answers: [{ type: TYPE.A, data: '10.0.0.1' }], ttlS: 5 }, 512);
        expect(reply.length).toBeLessThanOrEqual(512);
        answers(bytes, parsed.query, parsed.query.id);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an answer of ours', () => {
  const reply = (query: Query, list: Parameters<typeof replyTo>[1]['answers'], maxBytes = query.udpBytes) =>
    replyTo(query, { rcode: RCODE.none, answers: list, ttlS: 5 }, maxBytes);

  test('repeats id and question, with the records, and OPT if the client had one', () => {
    const query = queryOf(question('Db', { extra: OPT }));
    const bytes = reply(query, [{ type: TYPE.A, data: '10.80.0.2' }]);
    expect(bytes.subarray(0, 12).toString('hex')).toBe('123481800001000100000001');
    expect(bytes.subarray(12, 20)).toEqual(query.bytes.subarray(12, 20));
    expect(bytes.subarray(20).toString('hex')).toBe('c00c00010001000000050004' + '0a500002' + '00002904d0000000000000');
  });

  test('has addresses of IPv6, and names', () => {
    const query = queryOf(question('db', { type: TYPE.AAAA }));
    expect(
      reply(query, [{ type: TYPE.AAAA, data: 'fd00::a' }])
        .subarray(-16)
        .toString('hex'),
    ).toBe('fd00000000000000000000000000000a');
    expect(
      reply(query, [{ type: TYPE.PTR, data: 'db.app' }])
        .subarray(-8)
        .toString('latin1'),
    ).toBe('\x02db\x03app\0');
    const impossible = [
      { type: TYPE.PTR, data: 'x'.repeat(64) },
      { type: TYPE.A, data: 'x' },
    ] as const;
    expect(reply(query, impossible).readUInt16BE(6)).toBe(0);
  });

  test('what does not fit is left out, and the client is told', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ type: TYPE.A, data: `10.0.0.${index}` }));
    const query = queryOf(question('web'));
    const cut = reply(query, many);
    expect([cut.length <= 512, cut.readUInt16BE(2) & 0x0200, cut.readUInt16BE(6)]).toEqual([true, 0x0200, 30]);
    expect(reply(query, many, 65_535).readUInt16BE(6)).toBe(100);
  });
});

describe('the answer of another server', () => {
  const query = queryOf(question('db.example', { extra: OPT }));
  const good = withId(replyTo(query, { rcode: 0, answers: [{ type: TYPE.A, data: '9.9.9.9' }], ttlS: 9 }, 512), 7);

  test('counts only with the id and the question that were sent', () => {
    expect(answers(good, query, 7)).toBe(true);
    expect(answers(good, query, 8)).toBe(false);
    expect(answers(withId(query.bytes, 7), query, 7)).toBe(false);
    const other = queryOf(question('db.examplf'));
    expect(answers(withId(replyTo(other, { rcode: 0, answers: [], ttlS: 0 }, 512), 7), query, 7)).toBe(false);
    const type = queryOf(question('db.example', { type: TYPE.AAAA }));
    expect(answers(withId(replyTo(type, { rcode: 0, answers: [], ttlS: 0 }, 512), 7), query, 7)).toBe(false);
    expect(answers(Buffer.alloc(3), query, 7)).toBe(false);
    expect(answers(Buffer.from('000781820000000000000000', 'hex'), query, 7)).toBe(true);
    expect(answers(Buffer.from('000781800000000000000000', 'hex'), query, 7)).toBe(false);
  });

  test('loses its records if it is longer than the client takes', () => {
    const cut = cutReply(good, query);
    expect([cut.length, cut.readUInt16BE(2) & 0x0200, cut.readUInt32BE(6)]).toEqual([query.end, 0x0200, 0]);
  });
});
