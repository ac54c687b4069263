import type { BrokerParts } from '../parts.ts'

/**
 * A bug that a broker has really had, as a function from correct parts to parts with one of them replaced. It proves
 * that a test, a scenario or a check can see it; the correct code knows nothing of it.
 */
export interface Defect {
  readonly name: string
  /** What the broker does wrong, in a sentence without its subject. */
  readonly summary: string
  /** Where it has been seen, or what says that it is wrong. */
  readonly source: string
  readonly apply: (parts: BrokerParts) => BrokerParts
}
