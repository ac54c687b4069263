/** Numbers and units as text, the same in every locale and time zone. Nothing else in the reports rounds. */

const decimals = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
  })

const whole = decimals(0)
const tenths = decimals(1)
const hundredths = decimals(2)
const thousandths = decimals(3)
const bytesPerMegabyte = 2 ** 20
const absent = 'n/a'

const formatWith = (format: Intl.NumberFormat, value: number): string =>
  Number.isFinite(value) ? format.format(value) : absent

/** `1,794,747`. */
export const formatCount = (value: number): string => formatWith(whole, value)

/** `1 run`, `6 runs`. */
export const formatRuns = (count: number): string =>
  `${formatCount(count)} run${count === 1 ? '' : 's'}`

/** A count, or a text as it is. */
export const formatValue = (value: string | number): string =>
  typeof value === 'string'
    ? value
    : formatWith(Number.isInteger(value) ? whole : hundredths, value)

/** `3.40`. */
export const formatHundredths = (value: number): string => formatWith(hundredths, value)

/** `51,277`; below 100 with two decimals, since 0.4 records per second is not none. */
export const formatRate = (perSec: number): string =>
  formatWith(perSec < 100 && !Number.isInteger(perSec) ? hundredths : whole, perSec)

/** Units of 2^20 bytes: `438.17`. */
export const formatMegabytes = (bytes: number): string =>
  formatWith(hundredths, bytes / bytesPerMegabyte)

/** `35.00s`. */
export const formatSeconds = (ms: number): string => `${formatWith(hundredths, ms / 1_000)}s`

/** `5.90`, from μs. */
export const formatMilliseconds = (us: number): string => formatWith(hundredths, us / 1_000)

/** `0.00%`; a part that rounds to nothing is `<0.01%`, one that rounds to everything `>99.99%`. */
export const formatPercent = (part: number, total: number): string => {
  if (part <= 0 || total <= 0) return '0.00%'
  const percent = (part / total) * 100
  if (percent < 0.005) return '<0.01%'
  if (percent >= 99.995 && part < total) return '>99.99%'
  return `${formatWith(hundredths, percent)}%`
}

/** A ratio as a change: `+10.0%` for 1.1, `-50.0%` for 0.5. */
export const formatChange = (ratio: number): string => {
  const percent = (ratio - 1) * 100
  if (!Number.isFinite(percent)) return absent
  const rounded = formatWith(tenths, percent)
  return `${percent > 0 && !rounded.startsWith('-') ? '+' : ''}${rounded}%`
}

/** A probability: `0.013`, `<0.001`. */
export const formatProbability = (value: number): string =>
  value < 0.001 ? '<0.001' : formatWith(thousandths, value)

/** Partition numbers as ranges: `0-2,5`; `none` when there are none. */
export const formatPartitions = (partitions: readonly number[]): string => {
  const sorted = [...new Set(partitions)].toSorted((left, right) => left - right)
  const ranges: string[] = []
  for (let at = 0; at < sorted.length; ) {
    const first = sorted[at]
    let last = first
    while (sorted[at + 1] === (last ?? 0) + 1) last = sorted[++at]
    ranges.push(first === last ? `${first}` : `${first}-${last}`)
    at++
  }
  return ranges.length === 0 ? 'none' : ranges.join(',')
}

/** A number for other programs: no separators, `digits` decimals, empty when there is none. */
export const formatPlain = (value: number | null | undefined, digits = 0): string =>
  typeof value === 'number' && Number.isFinite(value) ? value.toFixed(digits) : ''
