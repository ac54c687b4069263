/** The errors that may cross a folder. Findings (missing records, failed checks) are values in a result, never errors. */

/** 0 is success, 1 a failed check, 130 and 143 a signal; only these two are thrown. */
export type ErrorExitCode = 2 | 3

/** An error whose message is shown to the user as it is: one line that names the thing, the value and what is allowed. */
export class BenchError extends Error {
  readonly exitCode: ErrorExitCode

  constructor(message: string, exitCode: ErrorExitCode, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.exitCode = exitCode
  }
}

/** Bad input: exit code 2, before anything is started or written. */
export class UsageError extends BenchError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 2, options)
  }
}

/** The surroundings failed (no broker, no space, port taken): exit code 3. */
export class SurroundingsError extends BenchError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 3, options)
  }
}

/** What a driver makes of its client's errors. */
export class DriverError extends Error {
  /** The broker's error code, when it was the broker that refused. */
  readonly kafkaCode: number | null
  readonly isRetriable: boolean

  constructor(
    message: string,
    options: { kafkaCode?: number | null; isRetriable?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'DriverError'
    this.kafkaCode = options.kafkaCode ?? null
    this.isRetriable = options.isRetriable ?? false
  }
}

/** The message of anything that was thrown, on one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ')

/** How many letters must be put in, left out or changed to make `b` of `a` (Levenshtein). */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split('').entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

/** `; did you mean 'NAME'?` for a mistyped name, or nothing when none is near. */
export const didYouMean = (text: string, names: readonly string[]): string => {
  const nearest = names
    .map((name) => ({ name, letters: distance(text, name) }))
    .toSorted((a, b) => a.letters - b.letters)[0]
  return nearest !== undefined && nearest.letters <= Math.max(2, text.length / 3)
    ? `; did you mean '${nearest.name}'?`
    : ''
}
