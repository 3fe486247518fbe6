import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aConfig, aResult, T0 } from '../../../test/builders/health.ts';
import { type CheckConfig, checkKindOf } from '../config.ts';
import { type Result, rfc3339FromMillis } from '../result.ts';
import { adviceFor } from './advice.ts';
import { type DiagnosisFacts, diagnose, type Finding } from './diagnose.ts';

const shell = (text: string): readonly string[] => ['CMD-SHELL', text];
const configOf = (test: readonly string[], over: Partial<CheckConfig> = {}): CheckConfig =>
  aConfig({ test, ...over, kind: checkKindOf(test) } as Partial<CheckConfig>);

interface Given extends Partial<Omit<DiagnosisFacts, 'config'>> {
  readonly config?: Partial<CheckConfig>;
}

function factsOf(check: readonly string[], log: readonly Result[], { config, ...over }: Given = {}): DiagnosisFacts {
  return {
    ...{ config: configOf(check, config), log, status: 'unhealthy', listeners: [] },
    ...{ memory: { isOut: false, limitBytes: undefined }, starts: [], runMs: 60_000 },
    ...over,
  };
}

/** The findings: `what -> remedy $ command`. */
function findingsOf(facts: DiagnosisFacts): readonly string[] {
  const context = {
    config: facts.config,
    name: 'web',
    program: ['healthctl'],
    sizeText: (bytes: number) => `${bytes}B`,
  };
  return diagnose(facts).map((finding) => {
    const { what, remedy, command } = adviceFor(finding, context);
    return `${what} -> ${remedy}${command === undefined ? '' : ` $ ${command}`}`;
  });
}

/** The command of the only finding. */
function fixOf(facts: DiagnosisFacts): string | undefined {
  const [finding, ...others] = diagnose(facts);
  expect(others).toEqual([]);
  const context = { config: facts.config, name: 'web', program: ['healthctl'], sizeText: String };
  return finding && adviceFor(finding, context).command;
}

const failed = (output: string, exitCode = 1) => aResult(1_000, exitCode, output);
const passed = (ms: number): Result => ({ ...aResult(), end: rfc3339FromMillis(T0 + 1_000 + ms) });
const NO_SHELL =
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory';
const NO_PROGRAM =
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "/app": stat /app: no such file or directory';

test('finds nothing in checks that pass', () => {
  expect(diagnose(factsOf(shell('true'), [passed(10), passed(20)]))).toEqual([]);
  expect(diagnose(factsOf(shell('true'), []))).toEqual([]);
});

describe('a missing program', () => {
  test.each([
    ["busybox's shell", 'sh: curl: not found', 127],
    ['dash', '/bin/sh: 1: curl: not found', 127],
    ['bash', 'bash: line 1: curl: command not found', 127],
    ['with || exit 1', '/bin/sh: 1: curl: not found\n', 1],
    ['zsh', 'zsh:1: command not found: curl', 127],
  ])('curl, by %s: suggests the native check that asks the same', (_, output, code) => {
    const facts = factsOf(shell('curl -f http://localhost:8080/ready || exit 1'), [failed(output, code)]);
    expect(findingsOf(facts)).toEqual([
      'the image has no curl -> healthctl can ask the server itself $ healthctl update --health-http http://localhost:8080/ready web',
    ]);
  });

  test.each([
    [
      'runc',
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "wget": executable file not found in $PATH',
    ],
    ['crun', 'OCI runtime exec failed: crun: executable file `wget` not found in $PATH: No such file or directory'],
  ])('wget without a shell, by %s', (_, output) => {
    const facts = factsOf(['CMD', 'wget', '-qO-', 'localhost/x'], [failed(output, -1)]);
    expect(fixOf(facts)).toBe('healthctl update --health-http http://localhost/x web');
  });

  test('another program has no native check', () => {
    expect(findingsOf(factsOf(['CMD', '/app'], [failed(NO_PROGRAM, -1)]))).toEqual([
      'the image has no /app -> use a program that the image has, or a check that needs none: --health-http, --health-tcp or --health-grpc of update',
    ]);
  });

  test('curl with a request that no native check can make: remedy without a command', () => {
    const facts = factsOf(shell('curl -d x http://localhost/'), [failed('sh: curl: not found', 127)]);
    expect(findingsOf(facts)).toEqual([
      expect.stringMatching(/^the image has no curl -> have healthctl ask the server itself: [^$]*$/),
    ]);
  });

  test('127 without a text', () => {
    expect(findingsOf(factsOf(shell('x 2>/dev/null'), [failed('', 127)]))).toEqual([
      expect.stringMatching(/^the command runs a program that the image does not have -> use/),
    ]);
  });

  test('an application that prints "not found" is no missing program', () => {
    expect(diagnose(factsOf(shell('check'), [failed('user: not found')]))).toMatchObject([{ kind: 'other' }]);
  });
});

describe('no shell in the image', () => {
  test('suggests an array for a plain command', () => {
    expect(findingsOf(factsOf(shell('/app --check'), [failed(NO_SHELL, -1)]))).toEqual([
      `the image has no shell, and the command needs /bin/sh -> give the command as an array, which runs without a shell $ healthctl update --health-cmd '["/app","--check"]' web`,
    ]);
  });

  test('suggests the native check for curl and the like', () => {
    const facts = factsOf(shell('curl -sf http://localhost/ || exit 1'), [failed(NO_SHELL, -1)]);
    expect(fixOf(facts)).toBe('healthctl update --health-http http://localhost/ web');
  });

  test('suggests no command for a text that needs a shell', () => {
    expect(fixOf(factsOf(shell('/app | grep ok'), [failed(NO_SHELL, -1)]))).toBeUndefined();
  });
});

test.each([
  ['a shell', shell('/app'), '/bin/sh: 1: /app: Permission denied', 126],
  ['runc', ['CMD', '/app'], 'OCI runtime exec failed: exec: "/app": permission denied', -1],
])('a program that cannot be executed, by %s', (_, check, output, code) => {
  expect(findingsOf(factsOf(check, [failed(output, code)]))).toEqual([
    '/app cannot be executed by the user of the container -> make it executable in the image, for example with chmod 755',
  ]);
});

test('no command', () => {
  expect(findingsOf(factsOf(['CMD'], [failed('healthcheck for container c1 has no command', -1)]))).toEqual([
    'the test is ["CMD"] without a command -> give a command with update --health-cmd',
  ]);
});

describe('timeouts', () => {
  const timeout = failed('Health check exceeded timeout (2s)', -1);
  const config = { timeoutNs: 2e9 };

  test('no check has passed', () => {
    expect(findingsOf(factsOf(shell('x'), [timeout], { config }))).toEqual([
      'the check exceeded its timeout of 2s -> give it more time, or run the command by hand and see what it waits for $ healthctl update --health-timeout 5s web',
    ]);
  });

  test('with the usual duration of checks', () => {
    const log = [passed(1_700), passed(1_900), timeout, passed(1_800)];
    expect(findingsOf(factsOf(shell('x'), log, { config }))).toEqual([
      expect.stringMatching(/^the check exceeded its timeout of 2s; one that passes takes 1.8s -> /),
    ]);
  });

  test('checks are close to the timeout before one fails', () => {
    expect(findingsOf(factsOf(shell('x'), [passed(100), passed(1_650)], { config }))).toEqual([
      'a check that passed took 1.65s of its timeout of 2s: on a busy host it will fail -> give it more time $ healthctl update --health-timeout 5s web',
    ]);
    expect(diagnose(factsOf(shell('x'), [passed(1_500)], { config }))).toEqual([]);
  });

  test('the start of the check timed out', () => {
    const output = 'timed out starting health check for container c1';
    expect(fixOf(factsOf(shell('x'), [failed(output, -1)]))).toBe('healthctl update --health-exec resident web');
    expect(fixOf(factsOf(shell('nc -z db 5432'), [failed(output, -1)]))).toBe(
      'healthctl update --health-tcp db:5432 web',
    );
  });
});

describe('a refused connection', () => {
  const native = ['HTTP', 'http://localhost:8080/ready', 'header=A: b'];
  const refused = failed('connect 127.0.0.1:8080: connection refused; connect [::1]:8080: connection refused');

  test.each([
    [
      'curl',
      'curl -f localhost:8080/ready',
      "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Couldn't connect to server",
    ],
    [
      "busybox's wget",
      'wget -qO- http://localhost:8080/',
      "wget: can't connect to remote host (127.0.0.1): Connection refused",
    ],
    [
      'GNU wget',
      'wget -q http://localhost:8080/',
      'Connecting to localhost (localhost)|127.0.0.1|:8080... failed: Connection refused.',
    ],
    ['Node.js', 'node check.js', 'Error: connect ECONNREFUSED 127.0.0.1:8080'],
    ['Go', './check', 'Get "http://127.0.0.1:8080/": dial tcp 127.0.0.1:8080: connect: connection refused'],
    ['psql', 'pg_isready -p 8080', 'localhost:8080 - no response'],
    ['bash', 'bash -c "</dev/tcp/127.0.0.1/8080"', 'bash: connect: Connection refused'],
    ['redis', 'redis-cli -p 8080 ping', 'Could not connect to Redis at 127.0.0.1:8080: Connection refused'],
  ])('nothing listens: %s', (_, command, output) => {
    expect(findingsOf(factsOf(shell(command), [failed(output)]))).toEqual([
      expect.stringMatching(
        /^nothing listens on port 8080 in the container -> .*a start period.* \$ healthctl logs --tail 20 web$/,
      ),
    ]);
  });

  test('the server listens on another port: the suggested native check keeps its options', () => {
    const listeners = [{ address: '0.0.0.0', port: 80 }];
    expect(findingsOf(factsOf(native, [refused], { listeners }))).toEqual([
      "nothing listens on port 8080 in the container, but on 80 -> ask the port on which the server listens $ healthctl update --health-http http://localhost:80/ready --health-http-header 'A: b' web",
    ]);
    const several = [...listeners, { address: '::', port: 443 }];
    expect(fixOf(factsOf(native, [refused], { listeners: several }))).toBeUndefined();
  });

  test('the server listens on ::1 only', () => {
    const listeners = [{ address: '::1', port: 8080 }];
    const output = "wget: can't connect to remote host (127.0.0.1): Connection refused";
    expect(findingsOf(factsOf(shell('wget -q -O - http://localhost:8080/x'), [failed(output)], { listeners }))).toEqual(
      [
        "the server listens on ::1 port 8080, and the check asks 127.0.0.1 -> ask the address on which it listens, or have the server listen on all addresses $ healthctl update --health-http 'http://[::1]:8080/x' web",
      ],
    );
  });

  test('the server listens on 127.0.0.1 only, and another address is asked', () => {
    const listeners = [{ address: '127.0.0.1', port: 5432 }];
    const check = ['TCP', '10.4.0.5:5432'];
    const output = 'connect 10.4.0.5:5432: connection refused';
    expect(fixOf(factsOf(check, [failed(output)], { listeners }))).toBe(
      'healthctl update --health-tcp 127.0.0.1:5432 web',
    );
    expect(
      fixOf(factsOf(['GRPC', 'web:5432', 'a.B'], [failed('connect 10.4.0.5:5432: connection refused')], { listeners })),
    ).toBe('healthctl update --health-grpc 127.0.0.1:5432/a.B web');
  });

  test("the server listens on the container's address only", () => {
    const listeners = [{ address: '10.4.0.5', port: 8080 }];
    expect(findingsOf(factsOf(native, [refused], { listeners }))).toEqual([
      'the server listens on 10.4.0.5 port 8080, and the check asks 127.0.0.1 and ::1 -> have the server listen on all addresses (0.0.0.0, or ::)',
    ]);
  });

  test.each(['0.0.0.0', '::', '127.0.0.1'])('the server listens by now on %s', (address) => {
    const listeners = [{ address, port: 8080 }];
    expect(fixOf(factsOf(native, [refused], { listeners }))).toBe('healthctl healthcheck run web');
  });

  test('the sockets or the target are unknown', () => {
    expect(findingsOf(factsOf(native, [refused], { listeners: undefined }))).toEqual([
      expect.stringMatching(/^the connection to localhost:8080 was refused -> /),
    ]);
    expect(findingsOf(factsOf(shell('./check'), [failed('Connection refused')]))).toEqual([
      expect.stringMatching(/^the server refused the connection -> /),
    ]);
  });
});

test.each([
  [shell('curl http://db/'), 'curl: (6) Could not resolve host: db'],
  [shell('wget db'), "wget: bad address 'db'"],
  [['TCP', 'db:80'], "the host db is neither an IP address nor in the container's /etc/hosts"],
])('a name that cannot be resolved: %o', (check, output) => {
  expect(findingsOf(factsOf(check, [failed(output)]))).toEqual([
    'the container cannot look up db -> ask localhost or an address, or create the container again with --add-host',
  ]);
});

describe('answers', () => {
  const http = ['HTTP', 'http://localhost/', 'status=200-299'];

  test.each([
    [
      http,
      'HTTP 401 Unauthorized: who are you',
      'healthctl update --health-http http://localhost/ --health-http-status 200-299,401 web',
    ],
    [
      shell('curl -f http://localhost/'),
      'curl: (22) The requested URL returned error: 403',
      'healthctl update --health-http http://localhost/ --health-http-status 200-399,403 web',
    ],
    [
      shell('wget -qO- http://localhost/'),
      'wget: server returned error: HTTP/1.1 401 Unauthorized',
      'healthctl update --health-http http://localhost/ --health-http-status 200-399,401 web',
    ],
  ])('a login is required: %o', (check, output, command) => {
    expect(diagnose(factsOf(check, [failed(output)]))).toMatchObject([{ kind: 'denied' }]);
    expect(fixOf(factsOf(check, [failed(output)]))).toBe(command);
  });

  test('a redirect', () => {
    expect(findingsOf(factsOf(http, [failed('HTTP 302 Found')]))).toEqual([
      'the server redirects the request (HTTP 302), and the check does not follow -> ask the address that it leads to, or accept the status $ healthctl update --health-http http://localhost/ --health-http-status 200-299,302 web',
    ]);
  });

  test.each([
    ['HTTP 404 Not Found', 'no-page'],
    ['HTTP 503 Service Unavailable: try later', 'wrong-status'],
  ])('%s', (output, kind) => {
    expect(diagnose(factsOf(http, [failed(output)]))).toMatchObject([{ kind }]);
    expect(findingsOf(factsOf(http, [failed(output)]))).toHaveLength(1);
  });

  test('TLS', () => {
    const output = 'the server speaks TLS, and was asked without it';
    expect(fixOf(factsOf(http, [failed(output)]))).toBe(
      'healthctl update --health-http https://localhost/ --health-http-status 200-299 web',
    );
    expect(fixOf(factsOf(['GRPC', 'a:1'], [failed(output)]))).toBe(
      'healthctl update --health-grpc a:1 --health-grpc-tls web',
    );
  });

  test('the body of an answer does not count', () => {
    const output = 'HTTP 503 Service Unavailable: upstream: connection refused';
    expect(diagnose(factsOf(http, [failed(output)]))).toMatchObject([{ kind: 'wrong-status' }]);
  });

  test('no command for options that name certificate files', () => {
    const check = ['HTTP', 'https://localhost/', 'ca=PEM'];
    expect(
      fixOf({ ...factsOf(check, [failed('HTTP 401 x')]), config: { ...configOf(http), test: check } }),
    ).toBeUndefined();
  });
});

describe('memory', () => {
  const memory = { isOut: true, limitBytes: 1024 };

  test('the kernel killed the check', () => {
    expect(findingsOf(factsOf(shell('x'), [failed('', 137)], { memory }))).toEqual([
      'the check was killed for lack of memory: its limit is 1024B -> create the container again with a larger --memory',
    ]);
    expect(fixOf(factsOf(shell('curl localhost'), [failed('', 137)], { memory }))).toBe(
      'healthctl update --health-http http://localhost web',
    );
  });

  test('the check was killed for another reason', () => {
    expect(findingsOf(factsOf(shell('x'), [failed('', 137)]))).toEqual([
      'the check was killed, and not for lack of memory -> look for what kills it: a program in the container, or a limit of the command itself',
    ]);
  });

  test('the kernel killed another process of the container', () => {
    expect(findingsOf(factsOf(shell('x'), [passed(10)], { memory: { isOut: true, limitBytes: undefined } }))).toEqual([
      'the kernel killed a process of the container for lack of memory -> create the container again with a larger --memory',
    ]);
  });
});

describe('the start period', () => {
  const starts = [
    { ms: 20_000, wasUnhealthy: false },
    { ms: 40_000, wasUnhealthy: true },
  ];

  test('is shorter than the last starts', () => {
    expect(findingsOf(factsOf(shell('x'), [passed(10)], { starts, status: 'healthy' }))).toEqual([
      'the start period of 0s is too short: this container took 40s to become healthy -> give its start more time $ healthctl update --health-start-period 1m web',
    ]);
  });

  test('still runs', () => {
    const [first] = starts;
    const given = { starts: first ? [first] : [], runMs: 10_000, config: { startPeriodNs: 5e9 } };
    expect(findingsOf(factsOf(shell('x'), [], given))).toEqual([
      expect.stringMatching(/^the start period of 5s .* took 20s .*, and is still starting -> /),
    ]);
    expect(diagnose(factsOf(shell('x'), [], { ...given, runMs: 30_000 }))).toEqual([]);
  });

  test('is long enough by now', () => {
    expect(diagnose(factsOf(shell('x'), [], { starts, config: { startPeriodNs: 60e9 } }))).toEqual([]);
  });
});

test('any other failure: suggests to run the check by hand', () => {
  expect(findingsOf(factsOf(shell("test 'a b' = c"), [failed('no')]))).toEqual([
    `the command failed with exit code 1 -> run it by hand, as the check does $ healthctl exec web /bin/sh -c 'test '\\''a b'\\'' = c'`,
  ]);
  expect(findingsOf(factsOf(['GRPC', 'a:1'], [failed('NOT_SERVING')]))).toEqual([
    'the check failed -> look at the output of the application $ healthctl logs --tail 20 web',
  ]);
});

test('equal failures give one finding, the last first', () => {
  const log = [
    failed('HTTP 500 x'),
    failed('HTTP 401 x'),
    failed('HTTP 500 y'),
    passed(10),
    failed('HTTP 401 x'),
    failed('HTTP 401 z'),
  ];
  expect(diagnose(factsOf(['HTTP', 'http://a/'], log))).toMatchObject([
    { kind: 'denied', count: 3 },
    { kind: 'wrong-status', count: 2 },
  ]);
});

test('never throws, whatever a container printed', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          ...[
            'curl',
            ' -f ',
            'http://',
            'localhost',
            ':80',
            '[::1]',
            "'",
            '"',
            '\\',
            '|',
            ' && ',
            '$(',
            '\n',
            '-H',
            ' x: y',
            'wget',
          ],
          ...[
            'nc -z ',
            'exec: "',
            'not found',
            ': ',
            'connection refused',
            'HTTP 4',
            '01 ',
            'port 8',
            '99999',
            '/dev/tcp/a/1',
            '>',
            '2>&1',
          ],
        ),
      )
      .map((parts) => parts.join('')),
  );
  const check = fc.oneof(
    text.map(shell),
    fc.array(text).map((words) => ['CMD', ...words]),
    fc
      .tuple(fc.constantFrom('HTTP', 'TCP', 'GRPC', 'NONE', 'X'), fc.array(text))
      .map(([type, items]) => [type, ...items]),
  );
  const result = fc.record({
    start: fc.oneof(fc.constant(rfc3339FromMillis(T0)), text),
    end: fc.oneof(fc.constant(rfc3339FromMillis(T0 + 5)), text),
    exitCode: fc.constantFrom(-1, 0, 1, 2, 126, 127, 137),
    output: text,
  });
  const listener = fc.record({
    address: fc.constantFrom('::', '::1', '0.0.0.0', '127.0.0.1', '10.0.0.1'),
    port: fc.constantFrom(80, 8, 443),
  });
  fc.assert(
    fc.property(
      check,
      fc.array(result, { maxLength: 5 }),
      fc.array(listener),
      fc.boolean(),
      (test, log, listeners, isOut) => {
        const facts = factsOf(test, log, {
          listeners,
          memory: { isOut, limitBytes: 1 },
          starts: [{ ms: 1, wasUnhealthy: isOut }],
        });
        const findings: readonly Finding[] = diagnose(facts);
        for (const line of findingsOf(facts)) expect(line).toMatch(/^.+ -> .+/s);
        expect(findings.length).toBeLessThanOrEqual(log.length + 3);
      },
    ),
  );
});
