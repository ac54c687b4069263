/** A box of double lines around sections of text, closed at every width. All widths are in code points. */

export type Style = 'bold' | 'green' | 'red' | 'yellow'

export interface Line {
  text: string
  style: Style | null
}

export const line = (text: string, style: Style | null = null): Line => ({ text, style })

const escapes: Record<Style, string> = {
  bold: '\u001b[1m',
  green: '\u001b[32m',
  red: '\u001b[31m',
  yellow: '\u001b[33m',
}
const resetEscape = '\u001b[0m'

const pointsOf = (text: string): string[] => Array.from(text)

export const widthOf = (text: string): number => pointsOf(text).length

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)))

export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - widthOf(text))) + text

export const cut = (text: string, width: number): string =>
  widthOf(text) <= width
    ? text
    : `${pointsOf(text)
        .slice(0, width - 1)
        .join('')}…`

/** Results come from files too: what could move the cursor or break the box is shown as `?`. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, '?')

const indent = '  '

const pieces = (word: string, width: number): string[] => {
  const points = pointsOf(word)
  const count = Math.max(1, Math.ceil(points.length / width))
  return Array.from({ length: count }, (_, index) =>
    points.slice(index * width, (index + 1) * width).join(''),
  )
}

/** At spaces, and inside words that are longer than a line; the lines after the first are indented. */
export const wrap = (text: string, width: number): string[] => {
  if (widthOf(text) <= width) return [text]
  const words = text.trim().split(/ +/)
  const margin = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let current = margin
  let isFresh = true
  const next = (): void => {
    lines.push(current)
    current = margin + indent
    isFresh = true
  }
  for (const word of words.flatMap((whole) => pieces(whole, width - widthOf(margin + indent)))) {
    if (!isFresh && widthOf(current) + 1 + widthOf(word) > width) next()
    current += isFresh ? word : ` ${word}`
    isFresh = false
  }
  return [...lines, current]
}

const ruler = (left: string, right: string, width: number): string =>
  `${left}${'═'.repeat(width - 2)}${right}`

/** One column of space lies inside each border. */
export const innerWidth = (width: number): number => width - 4

/** Lines that are too long are wrapped. Ends in a line feed. */
export const drawBox = (sections: readonly Line[][], width: number, color: boolean): string => {
  const inner = innerWidth(width)
  const rows: string[] = []
  for (const [index, section] of sections.entries()) {
    rows.push(index === 0 ? ruler('╔', '╗', width) : ruler('╠', '╣', width))
    for (const { text, style } of section) {
      for (const part of wrap(printable(text), inner)) {
        const padded = padEnd(part, inner)
        const shown = color && style !== null ? escapes[style] + padded + resetEscape : padded
        rows.push(`║ ${shown} ║`)
      }
    }
  }
  rows.push(ruler('╚', '╝', width))
  return `${rows.join('\n')}\n`
}
