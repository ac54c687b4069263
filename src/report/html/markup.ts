import { printable } from '../box.ts'
import { formatPlain } from '../format.ts'

/** Elements of HTML and SVG as values. Text and attributes are escaped here and nowhere else, so nothing can forget it. */

export interface Markup {
  readonly html: string
}

export type Child = Markup | string | null

type Attributes = Readonly<Record<string, string | number | null>>

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (mark) => entities[mark] ?? mark)

const withoutEnd = new Set(['meta', 'col'])

/** Blocks end their line, so that two files can be compared line by line. */
const inline = new Set([
  'a',
  'b',
  'code',
  'span',
  'text',
  'title',
  'th',
  'td',
  'dt',
  'dd',
  'strong',
])

/** An element; an attribute of null is left out, and so is a child of null. */
export const el = (name: string, attributes: Attributes, ...children: readonly Child[]): Markup => {
  const given = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}="${escaped(`${value}`)}"`)
    .join('')
  const inner = join(children).html
  const end = withoutEnd.has(name) ? '' : `</${name}>`
  return { html: `<${name}${given}>${inner}${end}${inline.has(name) ? '' : '\n'}` }
}

export const join = (children: readonly Child[]): Markup => ({
  html: children
    .map((child) => (child === null ? '' : typeof child === 'string' ? escaped(child) : child.html))
    .join(''),
})

/** Text whose options, such as `--rate`, stay in one piece at the end of a line. */
export const prose = (text: string): Markup =>
  join(
    text
      .split(/(?<![\w-])(--[a-z][a-z-]*)/)
      .map((part, index) => (index % 2 === 1 ? el('span', { class: 'flag' }, part) : part)),
  )

/** Text that is markup already: a style sheet, embedded data. */
export const raw = (html: string): Markup => ({ html })

/** A number for an attribute of SVG. */
export const coordinate = (value: number): string => formatPlain(value, 1).replace(/\.0$/, '')

export const percent = (share: number): string =>
  `${formatPlain(Math.min(1, Math.max(0, share)) * 100, 2).replace(/\.?0+$/, '')}%`
