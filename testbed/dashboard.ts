import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** The dashboard of examples/grafana. */
export const dashboard = JSON.parse(
  readFileSync(fileURLToPath(new URL('../examples/grafana/healthctl.json', import.meta.url)), 'utf8'),
) as Dashboard;

/** Its queries as Grafana sends them, with all instances, namespaces and containers chosen. */
export const dashboardQueries: readonly string[] = dashboard.panels
  .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  .map((expr) =>
    expr.replace(/\$__(rate_interval|range)\b/g, '1m').replace(/\$(instance|namespace|container)\b/g, '.*'),
  );
