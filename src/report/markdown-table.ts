import { printable } from './box.ts'

/** Tables and sections in Markdown, from texts that may hold anything. */

export const escaped = (text: string): string =>
  printable(text).replace(/[\\`*_[\]<>|~#]/g, (mark) => `\\${mark}`)

const row = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |\n`

/** The first column is text, the others are figures. Ends in a line feed. */
export const table = (
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const rule = `| ${headings.map((_, index) => (index === 0 ? '---' : '---:')).join(' | ')} |\n`
  return row(headings) + rule + rows.map(row).join('')
}

/** Nothing when the body is empty. */
export const section = (title: string, body: string): string =>
  body === '' ? '' : `\n### ${title}\n\n${body}`
