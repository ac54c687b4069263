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

const fit = (columns: readonly Column[], rows: readonly Row[], width: number): string[] | null =>
  [3, 2, 1]
    .map((gap) => layOut(columns, rows, gap))
    .find((texts) => texts.every((text) => widthOf(text) <= width)) ?? null

/** With the names of the rows cut; null where two would become the same. */
const withCutNames = (rows: readonly Row[]): Row[] | null => {
  const cutRows = rows.map(({ cells: [name = '', ...rest], style }) => ({
    cells: [cut(name, maxCellWidth), ...rest],
    style,
  }))
  const isDistinct = new Set(cutRows.map(({ cells }) => cells[0])).size === rows.length
  return isDistinct ? cutRows : null
}

/** The first column names the row and is cut when there is no room for it. */
export const drawTable = (
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
): Line[] => {
  const shown = rows.map(({ cells: [name = '', ...rest], style }) => ({
    cells: [printable(name), ...rest],
    style,
  }))
  const cutRows = withCutNames(shown)
  const texts = fit(columns, shown, width) ?? (cutRows && fit(columns, cutRows, width))
  if (texts === null) return rows.flatMap((row) => paragraph(columns, row))
  const headingHeight = texts.length - shown.length
  return texts.map((text, index) => line(text, shown[index - headingHeight]?.style ?? null))
}
