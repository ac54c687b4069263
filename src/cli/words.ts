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

/** The arguments of a run without its `flags`, which say whether a value follows them, and without the name `run`. */
export const withoutFlags = (
  args: readonly string[],
  flags: Readonly<Record<string, boolean>>,
): string[] => {
  const kept: string[] = []
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string
    const [flag = ''] = arg.split('=', 1)
    const hasValue = flags[flag]
    if (hasValue === undefined) kept.push(arg)
    else if (hasValue && !arg.includes('=')) at += 1
  }
  return kept[0] === 'run' ? kept.slice(1) : kept
}

/** The command line as it may be shown: a secret is never an option, but a property may look like one. */
export const withoutSecrets = (args: readonly string[]): string[] =>
  args.map((arg) => arg.replace(/^([^=]*(?:password|secret)[^=]*=).*/i, '$1***'))
