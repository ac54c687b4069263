import { UsageError } from '../errors.ts'

/**
 * Splits options given as one text into words, as a shell does: spaces part them, quotes keep them together, a backslash
 * takes the next character as it is. Throws a `UsageError` that names `flag` when a quote stays open.
 */
export const splitWords = (flag: string, text: string): string[] => {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\' && quote !== "'" && at + 1 < text.length) {
      at += 1
      word = (word ?? '') + text.charAt(at)
    } else if (quote !== null) {
      if (character === quote) quote = null
      else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word = word ?? ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== null) throw new UsageError(`--${flag} '${text}': the quote ${quote} stays open`)
  return word === null ? words : [...words, word]
}
