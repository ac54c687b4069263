import { type Line, line, padEnd, padStart, type Style, wrap } from './box.ts'

/** The rows of the boxed report: a label, then a figure or a text, in columns that depend on the room. */

export interface Rows {
  /** Code points per row. */
  readonly width: number
  heading(text: string): Line
  /** `Messages:            1,794,747 total`. */
  figure(label: string, value: string, unit: string, style?: Style | null): Line
  /** `Mode:             Produce`; a long text goes on below itself. */
  text(label: string, value: string, style?: Style | null): Line[]
  /** `p50:                     1,901 μs  (    1.90 ms)`. */
  latency(label: string, us: string, ms: string): Line
}

const narrowBelow = 48
const labelWidth = 18

export const createRows = (width: number): Rows => {
  const isNarrow = width < narrowBelow
  const figureWidth = isNarrow ? 9 : 12
  return {
    width,
    heading: (text) => line(text, 'bold'),
    figure: (label, value, unit, style = null) =>
      line(
        padEnd(`${label}:`, labelWidth) + padStart(value, figureWidth) + (unit && ` ${unit}`),
        style,
      ),
    text: (label, value, style = null) =>
      wrap(value, width - labelWidth).map((part, index) =>
        line(padEnd(index === 0 ? `${label}:` : '', labelWidth) + part.trimStart(), style),
      ),
    latency: (label, us, ms) =>
      isNarrow
        ? line(`${padEnd(`${label}:`, 7)}${padStart(us, 11)} μs (${padStart(ms, 8)} ms)`)
        : line(`${padEnd(`${label}:`, labelWidth)}${padStart(us, 12)} μs  (${padStart(ms, 8)} ms)`),
  }
}
