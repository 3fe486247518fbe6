import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageOf } from '../lib/errors.ts';
import {
  bindingsFrom,
  portMappingsFrom,
  portsDocument,
  portsOfList,
  portsText,
  requestsFrom,
} from './port-document.ts';
import { type PublishedPort, parseExpose, parsePublish, tryPortKey } from './port-spec.ts';

const short = (text: string) =>
  parsePublish(text).map(
    ({ hostIp, firstHostPort, lastHostPort, containerPort, protocol }) =>
      `${hostIp}|${firstHostPort}-${lastHostPort}|${containerPort}/${protocol}`,
  );
const failure = (work: () => unknown): string => {
  try {
    work();
    return 'no error';
  } catch (error) {
    return messageOf(error);
  }
};

describe('-p', () => {
  test.each<[string, string[]]>([
    ['80', ['|0-0|80/tcp']],
    ['8080:80', ['|8080-8080|80/tcp']],
    ['127.0.0.1:8080:80', ['127.0.0.1|8080-8080|80/tcp']],
    ['127.0.0.1::80', ['127.0.0.1|0-0|80/tcp']],
    ['5353:53/udp', ['|5353-5353|53/udp']],
    ['5353:53/UDP', ['|5353-5353|53/udp']],
    ['8000-8001:80-81', ['|8000-8000|80/tcp', '|8001-8001|81/tcp']],
    ['8000-8009:80', ['|8000-8009|80/tcp']],
    ['80-81', ['|0-0|80/tcp', '|0-0|81/tcp']],
    ['published=8080,target=80', ['|8080-8080|80/tcp']],
    ['target=53,protocol=udp', ['|0-0|53/udp']],
  ])('reads %s', (text, expected) => expect(short(text)).toEqual(expected));

  test.each([
    ['abc', 'invalid containerPort: abc'],
    ['x:80', 'invalid hostPort: x'],
    ['8080:70000', 'invalid containerPort: 70000'],
    ['80/foo', 'invalid proto: foo'],
    ['8000-8002:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8002'],
    ['8080:', 'no port specified: 8080:<empty>'],
    ['', 'no port specified: <empty>'],
    ['300.1.1.1:80:80', 'invalid IP address: 300.1.1.1'],
    ['[::1]:80:80', 'ports are published on IPv4 only: [::1]'],
    ['1:2:3:4', 'invalid port specification: "1:2:3:4"'],
    ['foo=1,target=80', "invalid publish opts format (should be name=value but got 'foo=1')"],
  ])('refuses %s', (text, reason) => expect(failure(() => parsePublish(text))).toBe(reason));

  test('any text is parsed or refused, and every parsed port is valid', () => {
    const part = fc.oneof(fc.stringMatching(/^[\d.:/=,a-z[\]-]{0,30}$/), fc.string());
    fc.assert(
      fc.property(part, (text) => {
        try {
          for (const { firstHostPort, lastHostPort, containerPort } of parsePublish(text))
            for (const port of [firstHostPort, lastHostPort, containerPort]) expect(port).toBeLessThanOrEqual(65535);
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE' });
        }
      }),
    );
  });
});

test('--expose', () => {
  expect(parseExpose('80')).toEqual(['80/tcp']);
  expect(parseExpose('3000-3001/udp')).toEqual(['3000/udp', '3001/udp']);
  expect(failure(() => parseExpose('80:80'))).toBe('invalid port format for --expose: 80:80');
  expect(failure(() => parseExpose('a'))).toBe('invalid range format for --expose: a');
  expect(failure(() => parseExpose('80/x'))).toBe('invalid proto: x');
});

test('the name of a port', () => {
  expect(tryPortKey('53/udp')).toEqual({ containerPort: 53, protocol: 'udp' });
  expect(tryPortKey('80')).toEqual({ containerPort: 80, protocol: 'tcp' });
  for (const wrong of ['', 'x', '80-81/tcp', '80/tcp/x', '80/icmp', '99999/tcp'])
    expect(tryPortKey(wrong), wrong).toBeUndefined();
});

describe('stored ports', () => {
  test('are read as they were requested', () => {
    for (const text of ['80', '8080:80', '127.0.0.1:8080:80/udp', '8000-8009:80'])
      expect(requestsFrom(bindingsFrom(parsePublish(text)), []), text).toEqual(parsePublish(text));
  });

  test('clients leave out what is empty, and give :: for all addresses', () => {
    const list = [{ HostPort: '8080' }, { HostIp: '127.0.0.1' }, {}, { HostIp: '::', HostPort: '8081' }];
    expect(requestsFrom({ '80/tcp': list }, []).map(({ hostIp, firstHostPort }) => [hostIp, firstHostPort])).toEqual([
      ['', 8080],
      ['127.0.0.1', 0],
      ['', 0],
      ['', 8081],
    ]);
  });

  test('-P publishes the ports that no option publishes', () => {
    const bindings = bindingsFrom(parsePublish('8080:80'));
    expect(requestsFrom(bindings, ['80/tcp', '443/tcp']).map(({ containerPort }) => containerPort)).toEqual([80, 443]);
  });

  test.each([null, 'x', [], { '80/tcp': 'x' }, { '80/tcp': [null, { HostIp: 1 }] }, { x: [] }])(
    'a damaged record, %j, gives no ports',
    (value) => expect(requestsFrom(value, [])).toEqual([]),
  );
});

describe('shown ports', () => {
  const port = (hostPort: number, containerPort: number, hostIp = '0.0.0.0'): PublishedPort => ({
    ...{ hostIp, hostPort, containerPort },
    protocol: 'tcp',
  });

  test('in ps, adjacent ports are joined', () => {
    expect(portsText(['80/tcp', '443/tcp'], [port(8080, 80)])).toBe('0.0.0.0:8080->80/tcp, 443/tcp');
    expect(portsText([], [port(8000, 80), port(8001, 81), port(9000, 82)])).toBe(
      '0.0.0.0:8000-8001->80-81/tcp, 0.0.0.0:9000->82/tcp',
    );
    expect(portsText(['81/tcp', '80/tcp', '53/udp'], [])).toBe('53/udp, 80-81/tcp');
    expect(portsText([], [])).toBe('');
  });

  test('in inspect, each port has its bindings', () => {
    expect(portsDocument(['443/tcp', '80/tcp'], [port(8080, 80), port(8081, 80, '127.0.0.1')])).toEqual({
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '127.0.0.1', HostPort: '8081' },
      ],
      '443/tcp': null,
    });
  });

  test("nerdctl's label is read; a damaged one counts as none", () => {
    const ports = [port(8080, 80), port(1, 2, '127.0.0.1')];
    expect(portsOfList(portMappingsFrom(ports))).toEqual(ports);
    for (const value of [undefined, '', 'x', {}, [null, { HostPort: 'x' }]]) expect(portsOfList(value)).toEqual([]);
  });
});
