import { describe, expect, test } from 'vitest';
import { checkPage, DEFAULT_PAGE, withPageAt } from './page-settings.ts';

const read = (value: unknown) => checkPage('f:3', 'page', value, () => 'f:3');

describe('[page]', () => {
  test('reads all keys', () => {
    expect(
      read({
        ...{ listen: '[::1]:9181', tls_cert: '/c', tls_key: '/k', token_file: '/t' },
        hosts: ['Health.example.org', '10.1.2.3:8443', '[fe80::1]'],
      }),
    ).toEqual({
      ...{ listen: { host: '::1', port: 9181 }, tls: { certFile: '/c', keyFile: '/k' }, tokenFile: '/t' },
      hosts: ['health.example.org', '10.1.2.3:8443', '[fe80::1]'],
    });
    expect(read({})).toEqual(DEFAULT_PAGE);
  });

  test.each(['/run/page.sock', 'unix:///run/page.sock'])('needs no token on the Unix socket %s', (listen) => {
    expect(read({ listen }).listen).toEqual({ path: '/run/page.sock' });
  });

  test.each(['127.0.0.1:9181', '127.1.2.3:9181', '[::1]:9181'])('needs no token on %s', (listen) => {
    expect(read({ listen }).listen).toMatchObject({ port: 9181 });
  });

  test('needs a token on an address other than the loopback', () => {
    expect(read({ listen: '0.0.0.0:9181', token_file: '/t' }).listen).toEqual({ host: '0.0.0.0', port: 9181 });
  });

  test.each<[unknown, string]>([
    [3, 'f:3: page must be a table, [page], not 3'],
    [{ port: 1 }, 'f:3: unknown key "page.port"'],
    [{ listen: '0.0.0.0:9181' }, 'f:3: page.listen: 0.0.0.0 can be reached from other machines'],
    [{ listen: '[::]:9181' }, 'f:3: page.listen: :: can be reached from other machines'],
    [{ listen: '[::ffff:127.0.0.1]:9181' }, 'can be reached from other machines'],
    [{ listen: 'localhost:9181' }, 'f:3: page.listen must be an IP address and a port'],
    [{ listen: '127.0.0.1:65536' }, 'f:3: page.listen must be an IP address and a port'],
    [{ listen: '127.0.0.1' }, 'f:3: page.listen must be an IP address and a port'],
    [{ listen: `/${'a'.repeat(107)}` }, 'the absolute path of a Unix socket of at most 107 bytes'],
    [{ tls_cert: '/c' }, 'f:3: page: tls_cert and tls_key belong together: one is missing'],
    [{ hosts: 'a' }, 'f:3: page.hosts must be a list of names'],
    [{ hosts: ['*'] }, 'f:3: page.hosts must be a list of names'],
    [{ hosts: ['http://a'] }, 'f:3: page.hosts must be a list of names'],
  ])('refuses %j', (value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});

describe('--page', () => {
  test('replaces the address of the file', () => {
    const settings = { ...DEFAULT_PAGE, listen: { host: '127.0.0.1', port: 1 }, tokenFile: '/t' };
    expect(withPageAt(settings, '0.0.0.0:9181')).toEqual({ ...settings, listen: { host: '0.0.0.0', port: 9181 } });
  });

  test('is refused like the key of the file', () => {
    expect(() => withPageAt(DEFAULT_PAGE, 'here')).toThrow(/^--page must be an IP address and a port.*, not "here"$/);
    expect(() => withPageAt(DEFAULT_PAGE, '10.0.0.1:9181')).toThrow('10.0.0.1 can be reached from other machines');
  });
});
