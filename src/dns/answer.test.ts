import { expect, test } from 'vitest';
import { createAnswerer } from './answer.ts';
import { rcodeOf, TYPE } from './message.ts';
import type { Zone } from './zone.ts';

const zone: Zone = {
  links: new Map(),
  networks: [
    {
      network: 'app',
      addresses: new Map([
        ['web', { v4: ['10.0.0.2', '10.0.0.3'], v6: [] }],
        ['api', { v4: ['10.0.0.4', '10.0.0.5'], v6: [] }],
        ['crowd', { v4: Array.from({ length: 60 }, (_, index) => `10.0.1.${index}`), v6: [] }],
      ]),
      owners: new Map([['2.0.0.10.in-addr.arpa', 'web-1.app']]),
    },
  ],
};

function query(name: string, type: number, klass = 1): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, klass]);
}

function answererWith(forwarded: Buffer | undefined) {
  const asked: string[] = [];
  const answerer = createAnswerer({
    zone: () => zone,
    servers: () => [],
    forwarder: {
      ask: async ({ name, type }) => {
        asked.push(`${name} ${type}`);
        return forwarded;
      },
    },
  });
  return { asked, ask: async (bytes: Buffer, transport: 'udp' | 'tcp' = 'udp') => answerer.answer(bytes, transport) };
}
/** Of two records of 16 bytes each. */
const firstOf = (reply: Buffer | undefined): string => [...(reply?.subarray(-20, -16) ?? [])].join('.');

test('each address of a name is first in turn, whatever else is asked between', async () => {
  const { ask, asked } = answererWith(undefined);
  const firsts: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    firsts.push(firstOf(await ask(query('web', TYPE.A))), firstOf(await ask(query('api', TYPE.A))));
    expect((await ask(query('web', TYPE.AAAA)))?.readUInt32BE(4)).toBe(0x0001_0000);
  }
  expect(firsts).toEqual(['10.0.0.2', '10.0.0.4', '10.0.0.3', '10.0.0.5', '10.0.0.2', '10.0.0.4']);
  expect(asked).toEqual([]);
});

test('a name of ours has no other records, and nobody else is asked for them', async () => {
  const { ask, asked } = answererWith(undefined);
  const reply = await ask(query('web', 15));
  expect([reply && rcodeOf(reply), reply?.readUInt16BE(6), asked]).toEqual([0, 0, []]);
  expect((await ask(query('2.0.0.10.in-addr.arpa', TYPE.PTR)))?.toString('latin1')).toContain('web-1\x03app');
});

test('what we do not know is asked elsewhere; without an answer it is a failure', async () => {
  const { ask, asked } = answererWith(undefined);
  const reply = await ask(query('example', TYPE.A));
  expect([reply?.readUInt16BE(0), reply && rcodeOf(reply)]).toEqual([9, 2]);
  await ask(query('web', TYPE.A, 3));
  await ask(query('9.0.0.10.in-addr.arpa', TYPE.PTR));
  expect(asked).toEqual(['example 1', 'web 1', '9.0.0.10.in-addr.arpa 12']);
  expect(await answererWith(Buffer.from('x')).ask(query('example', TYPE.A))).toEqual(Buffer.from('x'));
});

test('many addresses are cut over UDP only', async () => {
  const { ask } = answererWith(undefined);
  expect(((await ask(query('crowd', TYPE.A)))?.length ?? 0) <= 512).toBe(true);
  expect((await ask(query('crowd', TYPE.A), 'tcp'))?.readUInt16BE(6)).toBe(60);
});

test('a packet that is no query gets no answer', async () => {
  expect(await answererWith(undefined).ask(Buffer.from('x'))).toBeUndefined();
});
