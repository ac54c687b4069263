import type { Exchange } from './exchange.ts'

/** The exchanges that explain a failure, chosen from many and printed. */

export interface ExplainOptions {
  /** Only exchanges of these clients; without it of all. */
  readonly clientIds?: readonly string[]
  /** Only these APIs by Kafka's name; without it all. */
  readonly apis?: readonly string[]
  /** At most this many exchanges; what is left out is counted in the last line. */
  readonly limit: number
}

/**
 * Lines to print, without newlines: exchanges with findings first choice, then refusals, missing answers and empty
 * assignments, then the group's own messages; in the order in which they were asked.
 */
export const explain = (_exchanges: readonly Exchange[], _options: ExplainOptions): string[] => {
  throw new Error('not yet')
}
