/** A value is cut at this length in characters: names of Kubernetes' containers fit. */
export const MAX_LABEL_VALUE = 256;

const CUT = '…';

/** The value of a metric label: whole characters, of bounded length. */
export function labelValueOf(text: string): string {
  const whole = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  if (whole.length <= MAX_LABEL_VALUE) return whole;
  return `${whole.slice(0, MAX_LABEL_VALUE - CUT.length).replace(/[\uD800-\uDBFF]$/, '')}${CUT}`;
}

/** `name="value"`, with the value escaped as both text formats require. */
export function labelText(name: string, value: string): string {
  const escaped = value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
  return `${name}="${escaped}"`;
}

/** The name of the metric label for a container's label: `com.example/team` → `label_com_example_team`. */
export function metricLabelOf(key: string): string {
  return `label_${key.replace(/[^A-Za-z0-9_]/g, '_')}`;
}
