import { describe, expect, test } from 'vitest';
import { applyChanges } from './changes.ts';

describe('changes of an image', () => {
  test.each([
    [['CMD ["sleep", "60"]'], { Cmd: ['sleep', '60'] }],
    [['cmd echo hello world'], { Cmd: ['/bin/sh', '-c', 'echo hello world'] }],
    [['ENTRYPOINT ["/init"]'], { Entrypoint: ['/init'] }],
    [['ENV A=1 B="two words" C=\'x\'', 'ENV D old form'], { Env: ['A=1', 'B=two words', 'C=x', 'D=old form'] }],
    [['ENV A=1', 'ENV A=2'], { Env: ['A=2'] }],
    [['LABEL a=b "c d"=e'], { Labels: { a: 'b', 'c d': 'e' } }],
    [['EXPOSE 80 53/udp 8000-8002'], { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000-8002/tcp': {} } }],
    [['VOLUME /a /b', 'VOLUME ["/c"]'], { Volumes: { '/a': {}, '/b': {}, '/c': {} } }],
    [['USER probe', 'STOPSIGNAL SIGINT', 'ONBUILD RUN x'], { User: 'probe', StopSignal: 'SIGINT', OnBuild: ['RUN x'] }],
    [['WORKDIR /a', 'WORKDIR b'], { WorkingDir: '/a/b' }],
    [['USER a\n# a comment\nLABEL x=1 \\\n y=2'], { User: 'a', Labels: { x: '1', y: '2' } }],
    [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
    [
      ['HEALTHCHECK --interval=5s --retries=2 CMD curl -f http://localhost'],
      { Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost'], Interval: 5e9, Retries: 2 } },
    ],
    [['HEALTHCHECK CMD ["true"]'], { Healthcheck: { Test: ['CMD', 'true'] } }],
  ])('%j', (changes, expected) => {
    expect(applyChanges({}, changes)).toEqual(expected);
  });

  test('variables of the environment are expanded, but not those of commands', () => {
    const config = { Env: ['PATH=/bin', 'A=x'] };
    expect(applyChanges(config, ['ENV PATH=/usr/bin:$PATH', `LABEL l=\${A}-$B-\\$A`, 'CMD echo $A'])).toEqual({
      Env: ['A=x', 'PATH=/usr/bin:/bin'],
      Labels: { l: 'x--$A' },
      Cmd: ['/bin/sh', '-c', 'echo $A'],
    });
  });

  test.each([
    ['RUN true', 'RUN is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['CMD', 'CMD requires at least one argument'],
    ['EXPOSE web', 'invalid containerPort: web'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', `Syntax error - can't find = in "B". Must be of the form: name=value`],
    ['HEALTHCHECK true', 'Missing command after HEALTHCHECK: it must be CMD, or NONE alone'],
    ['HEALTHCHECK --interval=5 CMD true', 'HEALTHCHECK: --interval: time: missing unit in duration "5"'],
  ])('refuses %j', (change, message) => {
    expect(() => applyChanges({}, [change])).toThrow(message);
  });
});
