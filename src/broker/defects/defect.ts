import type { BrokerParts } from '../parts.ts'
import type { SettingName } from '../settings.ts'

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
  /** The setting that it spoils: a broker that leaves it at its default is a correct one. Not there where it always acts. */
  readonly actsWith?: SettingName
  readonly apply: (parts: BrokerParts) => BrokerParts
}
