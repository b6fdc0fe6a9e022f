/** The queries of the dashboards as Grafana would send them for a reader who has made his choices. */
import { DASHBOARDS } from '../../scripts/dashboards.ts';
import { CHOICES } from './mesh-story.ts';

export interface PanelQuery {
  /** Dashboard, panel and legend. */
  readonly name: string;
  readonly expression: string;
}

/** Puts a duration such as `1m` and the reader's choices in place of the variables. */
export function filledQuery(query: string, rateInterval: string): string {
  const timed = query.replaceAll('$__rate_interval', rateInterval);
  return timed.replaceAll(/\$(\w+)/gu, (variable, name: string) => CHOICES[name] ?? variable);
}

export function panelQueries(rateInterval: string): readonly PanelQuery[] {
  return Object.values(DASHBOARDS).flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      Object.entries(panel.queries).map(([legend, query]) => ({
        name: `${title} / ${panel.title} / ${legend}`,
        expression: filledQuery(query, rateInterval),
      })),
    ),
  );
}

/** What a variable offers to choose from. */
export interface VariableQuery {
  readonly name: string;
  readonly selector: string;
  readonly label: string;
}

export function variableQueries(): readonly VariableQuery[] {
  return Object.values(DASHBOARDS).flatMap(({ variables = {} }) =>
    Object.entries(variables).map(([name, query]) => {
      const [, selector = '', label = ''] =
        /^label_values\((.+), (\w+)\)$/u.exec(filledQuery(query, '')) ?? [];
      return { name, selector, label };
    }),
  );
}
