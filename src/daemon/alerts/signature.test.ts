import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { keyFromSecret, signatureHeaders } from './signature.ts';

test('signs id, time and body as in Standard Webhooks', () => {
  // The example of the specification's reference libraries.
  const key = keyFromSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n');
  const body = '{"test": 2432232314}';
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  expect(signatureHeaders(key, { id, body, nowMs: 1_614_265_330_999 })).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a secret without the prefix is the key itself', () => {
  const secret = 'correct horse battery staple';
  const headers = signatureHeaders(keyFromSecret(`${secret}\r\n`), { id: 'i', body: 'ü', nowMs: 5_000 });
  const mac = createHmac('sha256', secret).update('i.5.ü').digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${mac}`);
});

test.each([
  ['', 'the key has 0 bytes; it needs at least 16'],
  ['\n', 'the key has 0 bytes; it needs at least 16'],
  ['short', 'the key has 5 bytes; it needs at least 16'],
  ['whsec_', 'what follows whsec_ is not base64'],
  ['whsec_ä', 'what follows whsec_ is not base64'],
  ['whsec_QUJD', 'the key has 3 bytes; it needs at least 16'],
])('refuses the secret %j', (text, message) => expect(() => keyFromSecret(text)).toThrow(message));
