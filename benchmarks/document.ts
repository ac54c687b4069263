import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Sections of documents that benchmarks write: what stands between `<!-- NAME -->` and `<!-- /NAME -->`. */

// From dist/benchmarks, where this runs.
const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))

const boundsOf = (text: string, file: string, section: string): [from: number, to: number] => {
  const [open, close] = [`<!-- ${section} -->`, `<!-- /${section} -->`]
  const [at, to] = [text.indexOf(open), text.indexOf(close)]
  if (at < 0 || to < at) throw new Error(`docs/${file}: no ${open} … ${close}`)
  return [at + open.length, to]
}

export const readSection = (file: string, section: string): string => {
  const text = readFileSync(fileOf(file), 'utf8')
  return text.slice(...boundsOf(text, file, section)).trim()
}

/** Replaces the section and nothing else. */
export const writeSection = (file: string, section: string, content: string): void => {
  const text = readFileSync(fileOf(file), 'utf8')
  const [from, to] = boundsOf(text, file, section)
  writeFileSync(fileOf(file), `${text.slice(0, from)}\n${content.trim()}\n${text.slice(to)}`)
}

/** A line of a Markdown table. */
export const tableRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

export const tableHead = (names: readonly string[]): string =>
  `${tableRow(names)}\n${tableRow(names.map(() => '---'))}`
