import { describe, expect, test } from 'vitest';
import { aHealth, aView, noHealth } from '../../../test/builders/listed.ts';
import { parseTemplate } from '../../go/template/template.ts';
import { detailsOf } from '../../record/details.ts';
import { documentOf } from '../../record/document.ts';
import type { ShownHealth } from '../../record/shown-health.ts';
import { containerValue } from './container-value.ts';
import { renderInspect } from './inspect.ts';

const paths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };
const view = aView();
const document = (health: ShownHealth) => documentOf({ view, health, details: detailsOf(view.record), paths });
const show = (template: string, health: ShownHealth = aHealth()): string =>
  renderInspect([containerValue(document(health))], template).stdout.trimEnd();

describe('templates for a container', () => {
  test.each([
    ['{{.Config.Healthcheck.Timeout}} {{.Config.Healthcheck.Interval}}', '30s 30s'],
    ['{{.Config.Healthcheck.Test}}', '[CMD-SHELL true]'],
    ['{{.State.Health.Status}} {{len .State.Health.Log}} {{.State.Health.FailingStreak}}', 'healthy 1 0'],
    ['{{(index .State.Health.Log 0).ExitCode}}', '0'],
    ['{{.Name}} {{.ID}}', `/web ${'c1'.repeat(32)}`],
    ['{{.Id}}', 'c1'.repeat(32)],
    ['{{index .Config.Labels "img"}}|{{index .Config.Labels "no"}}|{{.Config.Labels}}', 'yes||map[img:yes]'],
    ['{{.Config.Entrypoint}} {{json .Config.Entrypoint}} {{.Config.Volumes}}', '[] null map[]'],
    ['{{.Config.StopSignal}}|{{.Config.StopTimeout}}|{{.Config.ExposedPorts}}', '|<nil>|map[]'],
    ['{{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.CapAdd}}', '<nil> no []'],
    ['{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}', 'none'],
    ['{{json .NetworkSettings.Ports}} {{json .HostConfig.LogConfig}}', '{} {"Type":"","Config":{}}'],
    ['{{.SizeRw}} {{.ExecIDs}} {{.GraphDriver.Name}}', '<nil> [] overlayfs'],
    [
      '{{with index .State.Health.Log 0}}{{.End.Sub .Start}} {{.Start.Format "15:04:05"}} {{.Start.Unix}}{{end}}',
      '10ms 00:00:01 1767225601',
    ],
    [
      '{{with index .State.Health.Log 0}}{{.Start}} {{json .Start}}{{end}}',
      '2026-01-01 00:00:01 +0000 UTC "2026-01-01T00:00:01Z"',
    ],
    [
      '{{.Config.Healthcheck.Interval.Seconds}} {{.Config.Healthcheck.Timeout}} {{json .Config.Healthcheck.Interval}}',
      '30 30s 30000000000',
    ],
    ['{{.HostConfig.Init}} {{.HostConfig.DNS}} {{.HostConfig.MaskedPaths}} {{.HostConfig.NanoCPUs}}', '<nil> [] [] 0'],
    ['{{.HostConfig.Memory}} {{.HostConfig.Resources.Memory}}', '67108864 67108864'],
    ['{{.HostConfig.NanoCpus}} {{json .HostConfig.Dns}}', '0 []'],
  ])('%s', (template, shown) => {
    expect(show(template)).toBe(shown);
  });

  // The expected text is Go's output for Docker's structs, field by field. Where Go prints the address of a pointer, we
  // show the target.
  test.each([
    [
      '{{.State}}',
      '{running true false false false false 4711 0  2026-01-01T00:00:00Z 0001-01-01T00:00:00Z {healthy 0 [{2026-01-01 00:00:01 +0000 UTC 2026-01-01 00:00:01.01 +0000 UTC 0 }]}}',
    ],
    ['{{.State.Health}}', '{healthy 0 [{2026-01-01 00:00:01 +0000 UTC 2026-01-01 00:00:01.01 +0000 UTC 0 }]}'],
    [
      '{{.Config}}',
      '{c1   false false false map[] false false false [PATH=/bin] [sleep 60] {[CMD-SHELL true] 30s 30s 0s 5s 3} false demo:1 map[]  [] false [] map[img:yes]  <nil> []}',
    ],
    [
      '{{.HostConfig}}',
      '{[/srv:/data:ro /tmp:/t]  { map[]} none map[] {no 0} false  [] [0 0] map[] [] []  [] [] [] [] [] private  [] 0  false false false [] map[] map[]   0 map[]   {0 67108864 0  0 [] [] [] [] [] 0 0 0 0   [] [] [] 0 0 <nil> <nil> <nil> [] 0 0 0 0} [] [] [] <nil>}',
    ],
    ['{{.Config.Healthcheck}}', '{[CMD-SHELL true] 30s 30s 0s 5s 3}'],
    ['{{.Mounts}}', '[{bind  /srv /data  ro false rprivate} {bind  /tmp /t   true rprivate}]'],
    [
      '{{printf "%+v" .State.Health}}',
      '&{Status:healthy FailingStreak:0 Log:[{Start:2026-01-01 00:00:01 +0000 UTC End:2026-01-01 00:00:01.01 +0000 UTC ExitCode:0 Output:}]}',
    ],
  ])('prints a whole struct: %s', (template, shown) => {
    expect(show(template)).toBe(shown);
  });

  test('prints our additional fields only if they are not empty', () => {
    const restarted = document(aHealth());
    const value = containerValue({ ...restarted, State: { ...restarted.State, RestartReason: 'exit' } });
    expect(renderInspect([value], '{{.State}}').stdout).toMatch(/0001-01-01T00:00:00Z exit \{healthy/);
    expect(show('{{.State.RestartReason}}')).toBe('');
  });

  test.each([
    ['{{.State.Health}}', '<nil>'],
    ['{{json .State.Health}}', 'null'],
    ['{{if .State.Health}}{{.State.Health.Status}}{{else}}no health{{end}}', 'no health'],
    ['{{.Config.Healthcheck}}', '<nil>'],
  ])('a container without a check: %s', (template, shown) => {
    expect(show(template, noHealth)).toBe(shown);
  });

  test("an unknown field gives Go's error", () => {
    expect(renderInspect([containerValue(document(noHealth))], '{{.Nope}}').errors[0]?.message).toBe(
      'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
    );
  });

  test('JSON has durations in nanoseconds, and exactly the keys of the document', () => {
    const json: unknown = JSON.parse(parseTemplate('{{json .}}').execute(containerValue(document(aHealth()))));
    const { State, Config, ...rest } = document(aHealth());
    const { Healthcheck, ...config } = Config;
    expect(json).toEqual({
      ...rest,
      State,
      Config: { ...config, Healthcheck: { ...Healthcheck, StartPeriod: undefined }, OnBuild: null },
    });
    expect(show('{{json .State}}', noHealth)).not.toContain('Health');
    expect(show('{{json .Config}}', noHealth)).not.toContain('Healthcheck');
  });

  test('shows measured sizes, also if they are 0', () => {
    const sized = { ...document(noHealth), SizeRw: 0, SizeRootFs: 5 };
    const { stdout } = renderInspect([containerValue(sized)], '{{json .SizeRw}} {{.SizeRootFs}}');
    expect(stdout).toBe('0 5\n');
    expect(renderInspect([containerValue(sized)], 'json').stdout).toContain('"SizeRw":0');
  });
});
