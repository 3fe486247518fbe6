import { describe, expect, test } from 'vitest';
import { aHealth, aView, noHealth } from '../../../test/builders/listed.ts';
import { detailsOf } from '../../container/details.ts';
import { documentOf } from '../../container/document.ts';
import type { ShownHealth } from '../../container/health.ts';
import { containerValue } from './container-value.ts';
import { renderInspect } from './inspect.ts';
import { parseTemplate } from './template/template.ts';

const paths = { LogPath: '', ResolvConfPath: '', HostnamePath: '', HostsPath: '' };
const view = aView();
const document = (health: ShownHealth) => documentOf({ view, health, details: detailsOf(view.record), paths });
const show = (template: string, health: ShownHealth = aHealth()): string =>
  renderInspect([containerValue(document(health))], template).stdout.trimEnd();

describe('templates on a container', () => {
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
  ])('%s', (template, shown) => {
    expect(show(template)).toBe(shown);
  });

  test.each([
    ['{{.State.Health}}', '<nil>'],
    ['{{json .State.Health}}', 'null'],
    ['{{if .State.Health}}{{.State.Health.Status}}{{else}}no health{{end}}', 'no health'],
    ['{{.Config.Healthcheck}}', '<nil>'],
  ])('without a check: %s', (template, shown) => {
    expect(show(template, noHealth)).toBe(shown);
  });

  test('an unknown field is an error in Go’s words', () => {
    expect(renderInspect([containerValue(document(noHealth))], '{{.Nope}}').errors[0]?.message).toBe(
      'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
    );
  });

  test('JSON: durations in nanoseconds, the keys of the document and no others', () => {
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

  test('sizes that were measured are shown, also when they are 0', () => {
    const sized = { ...document(noHealth), SizeRw: 0, SizeRootFs: 5 };
    const { stdout } = renderInspect([containerValue(sized)], '{{json .SizeRw}} {{.SizeRootFs}}');
    expect(stdout).toBe('0 5\n');
    expect(renderInspect([containerValue(sized)], 'json').stdout).toContain('"SizeRw":0');
  });
});
