/** Times as a person writes them. */

export const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** `500ms`, `1.5s`, `30s`, `5m`, `1h` in ms; null for anything else, also for a number without its unit. */
export const durationOf = (text: string): number | null => {
  const [, digits = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  return digits === '' ? null : Number(digits) * (durationUnitsMs[unit] ?? Number.NaN)
}
