/** Latencies in whole µs with 3 significant digits. The only file that knows hdr-histogram-js. */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  JsHistogram,
} from 'hdr-histogram-js'
import type { Latency } from './result.ts'

// HdrHistogram's own layout for 3 digits: 2048 values one by one, then 1024 per doubling, to 2^53.
const exactValues = 2048
const valuesPerDoubling = 1024
const cellCount = exactValues + 42 * valuesPerDoubling

/**
 * Counts in the cells of an HdrHistogram and becomes one only to be asked or written: recording costs a tenth of
 * the library's. Every value from 0 to 2^53 has a cell, so nothing is dropped or cut off.
 * Source: hdrhistogram.org (G. Tene).
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(cellCount)
  #count = 0
  #highestCell = 0

  get count(): number {
    return this.#count
  }

  /** Negative values (clocks of two machines) count as 0. */
  record(us: number): void {
    this.recordCount(us, 1)
  }

  recordCount(us: number, count: number): void {
    const cell = cellOf(us)
    this.#counts[cell] = (this.#counts[cell] as number) + count
    this.#count += count
    this.#highestCell = Math.max(this.#highestCell, cell)
  }

  add(other: LatencyHistogram): void {
    for (let cell = 0; cell <= other.#highestCell; cell += 1) {
      this.#counts[cell] = (this.#counts[cell] as number) + (other.#counts[cell] as number)
    }
    this.#count += other.#count
    this.#highestCell = Math.max(this.#highestCell, other.#highestCell)
  }

  /** Its counts as plain data, for `addCells` of another thread. */
  cells(): Float64Array {
    return this.#counts.slice(0, this.#highestCell + 1)
  }

  addCells(cells: Float64Array): void {
    for (const [cell, count] of cells.entries()) {
      if (count === 0) continue
      this.#counts[cell] = (this.#counts[cell] as number) + count
      this.#count += count
      if (cell > this.#highestCell) this.#highestCell = cell
    }
  }

  reset(): void {
    this.#counts.fill(0, 0, this.#highestCell + 1)
    this.#count = 0
    this.#highestCell = 0
  }

  /** Smallest recorded value (upper edge of its cell) that `percent` of the values do not exceed; 0 when empty. */
  percentile(percent: number): number {
    const exact = (percent / 100) * this.#count
    // A product that should be whole may be a bit above it.
    const wanted = Math.max(1, Math.ceil(exact - exact * Number.EPSILON))
    let sum = 0
    for (let cell = 0; cell <= this.#highestCell; cell += 1) {
      sum += this.#counts[cell] as number
      if (sum >= wanted) return highestOf(cell)
    }
    return 0
  }

  /** The same for several at once. */
  percentiles(percents: readonly number[]): number[] {
    return percents.map((percent) => this.percentile(percent))
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#toHdr().mean
  }

  /** Upper edge of the highest recorded value's cell; 0 when empty. */
  get max(): number {
    return this.#count === 0 ? 0 : highestOf(this.#highestCell)
  }

  /** HdrHistogram V2, compressed, base64: what HdrHistogram's tools of other languages read. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#toHdr())
  }

  /** Throws an Error when `text` is not such a histogram. */
  static decode(text: string): LatencyHistogram {
    const hdr = decodeFromCompressedBase64(text, 64)
    const histogram = new LatencyHistogram()
    if (!(hdr instanceof JsHistogram)) throw new Error('histogram: not decodable')
    for (let index = 0; index < hdr.countsArrayLength; index += 1) {
      const count = hdr.getCountAtIndex(index)
      if (count > 0) histogram.recordCount(hdr.valueFromIndex(index), count)
    }
    return histogram
  }

  /** The text that HdrHistogram's plotters read (hgrm), values in ms, five steps per halving. */
  percentileDistribution(): string {
    return this.#toHdr().outputPercentileDistribution(5, 1_000)
  }

  /** What a result file holds; null when nothing was recorded. */
  toLatency(): Latency | null {
    if (this.#count === 0) return null
    const hdr = this.#toHdr()
    return {
      count: this.#count,
      mean: hdr.mean,
      p50: hdr.getValueAtPercentile(50),
      p90: hdr.getValueAtPercentile(90),
      p95: hdr.getValueAtPercentile(95),
      p99: hdr.getValueAtPercentile(99),
      p999: hdr.getValueAtPercentile(99.9),
      max: this.max,
      hdr: encodeIntoCompressedBase64(hdr),
    }
  }

  #toHdr(): JsHistogram {
    const hdr = build({
      bitBucketSize: 64,
      autoResize: true,
      highestTrackableValue: Math.max(exactValues, highestOf(this.#highestCell)),
      numberOfSignificantValueDigits: 3,
    })
    if (!(hdr instanceof JsHistogram)) throw new Error('histogram: not the plain one')
    for (let cell = 0; cell <= this.#highestCell; cell += 1) {
      const count = this.#counts[cell] as number
      if (count > 0) hdr.recordValueWithCount(highestOf(cell), count)
    }
    return hdr
  }
}

/** Apart, because V8 makes the text of a template in front of the branch that needs it: for every value recorded. */
const notATime = (us: number): RangeError => new RangeError(`latency: not a time: ${us}`)

const cellOf = (us: number): number => {
  const value = Math.max(0, Math.round(us))
  // Without a branch of their own for the exact values: a rare larger one would have the code thrown away.
  if (value < 2 ** 31) {
    const doubling = Math.max(0, 21 - Math.clz32(value))
    return doubling * valuesPerDoubling + (value >>> doubling)
  }
  if (!(value <= Number.MAX_SAFE_INTEGER)) throw notATime(us)
  // Beyond 31 bits the high word tells the doubling, and shifts would lose bits.
  const doubling = 42 - Math.clz32(Math.floor(value / 2 ** 21))
  return doubling * valuesPerDoubling + Math.floor(value / 2 ** doubling)
}

/** Highest value of a cell. */
const highestOf = (cell: number): number => {
  if (cell < exactValues) return cell
  const doubling = Math.floor(cell / valuesPerDoubling) - 1
  return (cell - doubling * valuesPerDoubling + 1) * 2 ** doubling - 1
}
