import { didYouMean, UsageError } from '../../errors.ts'
import type { BrokerParts } from '../parts.ts'
import { commitLost } from './commit-lost.ts'
import type { Defect } from './defect.ts'
import { ghostMembers } from './ghost-members.ts'
import { heartbeatAnyGeneration } from './heartbeat-any-generation.ts'
import { joinTimed100ms } from './join-timed-100ms.ts'
import { leaderSyncLost } from './leader-sync-lost.ts'
import { noExpire } from './no-expire.ts'
import { recordLost } from './record-lost.ts'
import { stableBeforeJoin } from './stable-before-join.ts'
import { stableJoinEarlyReturn } from './stable-join-early-return.ts'
import { syncNotBlocking } from './sync-not-blocking.ts'

/** The bugs that a broker can be given by name. */

export const defects: readonly Defect[] = [
  stableJoinEarlyReturn,
  stableBeforeJoin,
  syncNotBlocking,
  joinTimed100ms,
  ghostMembers,
  leaderSyncLost,
  noExpire,
  heartbeatAnyGeneration,
  commitLost,
  recordLost,
]

export const defectNames: readonly string[] = defects.map(({ name }) => name)

/** Throws a `UsageError` that names what is allowed. */
export const findDefect = (name: string): Defect => {
  const found = defects.find((defect) => defect.name === name)
  if (found !== undefined) return found
  throw new UsageError(
    `defect '${name}': allowed are ${defectNames.join(', ')}${didYouMean(name, defectNames)}`,
  )
}

/** Parts with one bug in them. What a defect remembers is its own for each call: give every broker parts of its own. */
export const withDefect = (parts: BrokerParts, name: string): BrokerParts =>
  findDefect(name).apply(parts)
