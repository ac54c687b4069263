// The parts of docs/CONFORMANCE.md that are made from the code: written with --update-golden, compared otherwise.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../docs/CONFORMANCE.md', import.meta.url))

/** A Markdown table; cells may be any text in one line. */
export const tableOf = (head, rows) => {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Holds the text between `<!-- NAME -->` and `<!-- /NAME -->` of docs/CONFORMANCE.md against `content`, or writes it
 * there when `isUpdating`. Returns what is wrong, or null.
 */
export const documentFault = (name, content, isUpdating) => {
  const text = readFileSync(file, 'utf8')
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < 0) return `docs/CONFORMANCE.md has no section ${name}`
  const wanted = `${text.slice(0, from)}${begin}\n${content}\n\n${text.slice(to)}`
  if (wanted === text) return null
  if (!isUpdating)
    return `section ${name} of docs/CONFORMANCE.md is out of date: run with --update-golden`
  writeFileSync(file, wanted)
  return null
}
