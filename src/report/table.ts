import Table from 'cli-table3'
import { cut, type Line, line, printable, type Style, widthOf } from './box.ts'

/** Rows under a heading, or, where they do not fit, each row as a small paragraph. */

export interface Column {
  /** Words of the heading; each may take a line of its own. */
  heading: string
  align: 'left' | 'right'
}

export interface Row {
  cells: readonly string[]
  style: Style | null
}

const maxCellWidth = 28

const noLines = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
)

/** One text line per line of the heading and per row, columns aligned, without rules. */
const layOut = (columns: readonly Column[], rows: readonly Row[], gap: number): string[] => {
  const table = new Table({
    chars: { ...noLines, middle: ' '.repeat(gap) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ align }) => align),
  })
  table.push(
    columns.map(({ heading }) => ({ content: heading, vAlign: 'bottom' as const })),
    ...rows.map(({ cells }) => [...cells]),
  )
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd())
}

const paragraph = (columns: readonly Column[], { cells, style }: Row): Line[] => {
  const [name = '', ...values] = cells
  const words = values.map(
    (value, index) => `${(columns[index + 1]?.heading ?? '').replaceAll('\n', ' ')} ${value}`,
  )
  const heading = columns[0]?.heading ?? ''
  const title = /^\d/.test(name) ? `${heading} ${name}` : name
  return [line(title, style), line(`  ${words.join(', ').toLowerCase()}`, style)]
}

/** The first column names the row and is cut when it is long. */
export const drawTable = (
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
): Line[] => {
  const shown = rows.map(({ cells, style }) => ({
    cells: cells.map((cell, index) => (index === 0 ? cut(printable(cell), maxCellWidth) : cell)),
    style,
  }))
  const fitting = [3, 2, 1]
    .map((gap) => layOut(columns, shown, gap))
    .find((texts) => texts.every((text) => widthOf(text) <= width))
  if (fitting === undefined) return rows.flatMap((row) => paragraph(columns, row))
  const headingHeight = fitting.length - shown.length
  return fitting.map((text, index) => line(text, shown[index - headingHeight]?.style ?? null))
}
