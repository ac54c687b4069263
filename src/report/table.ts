import { cut, type Line, line, padEnd, padStart, printable, type Style, widthOf } from './box.ts'

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

const headingLines = (columns: readonly Column[]): string[][] => {
  const split = columns.map((column) => column.heading.split('\n'))
  const height = Math.max(...split.map((words) => words.length))
  return Array.from({ length: height }, (_, index) =>
    split.map((words) => words[index - (height - words.length)] ?? ''),
  )
}

const aligned = (
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
  gap: number,
): string =>
  columns
    .map(({ align }, index) => {
      const pad = align === 'left' ? padEnd : padStart
      return pad(cells[index] ?? '', widths[index] ?? 0)
    })
    .join(' '.repeat(gap))
    .trimEnd()

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
  const headings = headingLines(columns)
  const widths = columns.map((_, index) =>
    Math.max(
      ...[...headings, ...shown.map(({ cells }) => cells)].map((cells) =>
        widthOf(cells[index] ?? ''),
      ),
    ),
  )
  const sum = widths.reduce((total, columnWidth) => total + columnWidth, 0)
  const gap = [3, 2, 1].find((space) => sum + space * (columns.length - 1) <= width)
  if (gap === undefined) return rows.flatMap((row) => paragraph(columns, row))
  return [
    ...headings.map((cells) => line(aligned(columns, cells, widths, gap))),
    ...shown.map(({ cells, style }) => line(aligned(columns, cells, widths, gap), style)),
  ]
}
