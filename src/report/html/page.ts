import { createHash } from 'node:crypto'
import { embedJson } from '../../results/embedded.ts'
import type { Check } from '../../results/result.ts'
import { formatValue } from '../format.ts'
import { type Child, el, join, type Markup, raw } from './markup.ts'
import { styleSheet } from './style.ts'

/** What every page has: one file without scripts, that asks the network for nothing and holds its own data. */

export interface Page {
  title: string
  /** Before the sections: the verdict. */
  header: Markup
  main: Child[]
  footer: string
  /** Embedded as JSON, to be read again. */
  data: unknown
}

export const renderPage = ({ title, header, main, footer, data }: Page): string => {
  const hash = createHash('sha256').update(styleSheet).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const head = el(
    'head',
    {},
    el('meta', { charset: 'utf-8' }),
    el('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    el('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    el('meta', { name: 'color-scheme', content: 'light dark' }),
    el('meta', { name: 'referrer', content: 'no-referrer' }),
    el('title', {}, title),
    el('style', {}, raw(styleSheet)),
  )
  const body = el(
    'body',
    {},
    el('header', {}, header),
    el('main', {}, ...main),
    el('footer', {}, el('p', {}, footer)),
    raw(`${embedJson(data)}\n`),
  )
  return `<!doctype html>\n${el('html', { lang: 'en' }, head, body).html}`
}

/** A part with a heading; nothing when it has no content. */
export const section = (id: string, title: string, ...content: readonly Child[]): Markup | null =>
  content.every((child) => child === null)
    ? null
    : el('section', { 'aria-labelledby': id }, el('h2', { id }, title), ...content)

export const verdictBlock = (
  tone: 'good' | 'bad' | 'doubt',
  parts: { eyebrow: string; word: string; reason: string; details: readonly Child[] },
): Markup =>
  el(
    'div',
    { class: `verdict ${tone}` },
    el('p', { class: 'eyebrow' }, parts.eyebrow),
    el('h1', {}, parts.word),
    el('p', {}, parts.reason),
    ...parts.details,
  )

/** What was expected and what was there; null when nothing failed. */
export const failedChecks = (checks: readonly Check[]): Markup | null => {
  const failed = checks.filter(({ ok }) => !ok)
  return failed.length === 0
    ? null
    : el(
        'ul',
        { class: 'plain' },
        ...failed.map(({ name, expected, actual }) =>
          el(
            'li',
            {},
            el('strong', {}, name),
            `: expected ${formatValue(expected)}, actual ${formatValue(actual)}`,
          ),
        ),
      )
}

/** Big figures, side by side. */
export const tiles = (
  figures: readonly (readonly [label: string, value: string, unit: string])[],
): Markup =>
  el(
    'dl',
    { class: 'tiles' },
    ...figures.map(([label, value, unit]) =>
      el(
        'div',
        {},
        el('dt', {}, label),
        el('dd', {}, value, unit === '' ? null : join([' ', el('span', {}, unit)])),
      ),
    ),
  )

export interface TableRow {
  cells: readonly string[]
  style?: 'bad' | 'all' | null
}

/** Longer texts may go on below themselves. */
const longText = 40

/** The first column names the row. Wider than the screen, it scrolls in itself, by keyboard too. */
export const dataTable = (
  caption: string,
  headings: readonly string[],
  rows: readonly TableRow[],
): Markup =>
  el(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0 },
    el(
      'table',
      {},
      el('thead', {}, el('tr', {}, ...headings.map((text) => el('th', { scope: 'col' }, text)))),
      el(
        'tbody',
        {},
        ...rows.map(({ cells, style = null }) =>
          el(
            'tr',
            { class: style },
            ...cells.map((text, index) =>
              index === 0
                ? el('th', { scope: 'row' }, text)
                : el('td', { class: text.length > longText ? 'long' : null }, text),
            ),
          ),
        ),
      ),
    ),
  )

/** Names and what they are, for reading rather than adding up; null is left out. */
export const factTable = (facts: readonly (readonly [string, string | null])[]): Markup =>
  el(
    'table',
    { class: 'facts' },
    el(
      'tbody',
      {},
      ...facts.flatMap(([name, value]) =>
        value === null || value === ''
          ? []
          : [el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, value))],
      ),
    ),
  )
