/** Data inside an HTML file, so that a report can be read again as the result it was made from. */

const opening = '<script type="application/json" id="result">'
const closing = '</script>'

/** An element that no browser runs; no text in the data can end it. */
export const embedJson = (value: unknown): string =>
  `${opening}${JSON.stringify(value).replaceAll('<', '\\u003c')}${closing}`

/** The JSON in a page; a text that is no page is returned as it is. Null for a page without data. */
export const jsonIn = (text: string): string | null => {
  if (!/^\s*<!doctype html/i.test(text)) return text
  const from = text.lastIndexOf(opening)
  const to = text.indexOf(closing, from)
  return from < 0 || to < 0 ? null : text.slice(from + opening.length, to)
}
