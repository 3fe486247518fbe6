import type { ConfigAnswer, ShownStatus } from '../wire.ts';
import { containerPath } from './api.ts';
import { clock } from './clock.ts';
import { spanText } from './format.ts';
import { useData } from './use-data.ts';

const ORIGINS: Readonly<Record<string, string>> = {
  flag: 'a flag',
  image: 'the image',
  update: 'an update',
  default: 'default',
  configuration: 'the configuration',
  unknown: 'a flag or the image',
};

/** What is checked, where each field came from, and what to do about failures. */
export function ConfigSection({
  containerKey,
  status,
}: {
  readonly containerKey: string;
  readonly status: ShownStatus;
}) {
  const path = status === 'gone' ? undefined : containerPath(containerKey, `/config?status=${status}`);
  const { value, error } = useData<ConfigAnswer>(path, 0, 60_000);
  const config = value?.config;
  return (
    <section aria-labelledby="config">
      <h3 id="config">Check</h3>
      {error !== '' && <p class="alert">{error}</p>}
      {status === 'gone' && <p class="quiet">The container is gone, and its configuration with it.</p>}
      {config && (
        <>
          {config.advice.length > 0 && <AdviceList advice={config.advice} />}
          {config.fields.length > 0 && <Fields fields={config.fields} />}
          <p class="quiet">{nextText(config.nextCheckMs)}</p>
        </>
      )}
    </section>
  );
}

type Config = NonNullable<ConfigAnswer['config']>;

function Fields({ fields }: Pick<Config, 'fields'>) {
  return (
    <table class="fields">
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Value</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ key, text, origin }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>
              <code>{text}</code>
            </td>
            <td>{ORIGINS[origin] ?? origin}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AdviceList({ advice }: Pick<Config, 'advice'>) {
  return (
    <ul class="advice">
      {advice.map(({ what, remedy, command }) => (
        <li key={what}>
          <p>
            <b>{what}</b>
          </p>
          <p>{remedy}</p>
          {command !== '' && <pre>{command}</pre>}
        </li>
      ))}
    </ul>
  );
}

function nextText(nextMs: number | null): string {
  if (nextMs === null) return 'No check is planned.';
  const inMs = nextMs - clock.now();
  return inMs > 0
    ? `The next check was planned for ${spanText(inMs)} after this page asked.`
    : 'The next check is due.';
}
