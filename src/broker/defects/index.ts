import { didYouMean, UsageError } from '../../errors.ts'
import type { BrokerParts } from '../parts.ts'
import { parseSettings } from '../settings.ts'
import { adaptiveIgnored } from './adaptive-ignored.ts'
import { canary } from './canary.ts'
import { commitLost } from './commit-lost.ts'
import type { Defect } from './defect.ts'
import { deliverySkipped } from './delivery-skipped.ts'
import { duplicateDelivery } from './duplicate-delivery.ts'
import { expectedMembersIgnored } from './expected-members-ignored.ts'
import { fallbackIgnored } from './fallback-ignored.ts'
import { ghostMembers } from './ghost-members.ts'
import { heartbeatAnyGeneration } from './heartbeat-any-generation.ts'
import { highWatermarkMissing } from './high-watermark-missing.ts'
import { initialDelayIgnored } from './initial-delay-ignored.ts'
import { joinTimed100ms } from './join-timed-100ms.ts'
import { joinV5NoInstanceId } from './join-v5-no-instance-id.ts'
import { leaderSyncLost } from './leader-sync-lost.ts'
import { listOffsetsV0AsV1 } from './list-offsets-v0-as-v1.ts'
import { noExpire } from './no-expire.ts'
import { offsetCommitV8Underflow } from './offset-commit-v8-underflow.ts'
import { offsetFetchAllMeansZero } from './offset-fetch-all-means-zero.ts'
import { offsetFetchV8PartitionZero } from './offset-fetch-v8-partition-zero.ts'
import { recordLost } from './record-lost.ts'
import { reencodedBatches } from './reencoded-batches.ts'
import { slow } from './slow.ts'
import { stableBeforeJoin } from './stable-before-join.ts'
import { stableJoinEarlyReturn } from './stable-join-early-return.ts'
import { staticIdIgnored } from './static-id-ignored.ts'
import { syncNotBlocking } from './sync-not-blocking.ts'

/** The bugs that a broker can be given by name. */

export const defects: readonly Defect[] = [
  canary,
  stableJoinEarlyReturn,
  stableBeforeJoin,
  syncNotBlocking,
  joinTimed100ms,
  joinV5NoInstanceId,
  ghostMembers,
  leaderSyncLost,
  initialDelayIgnored,
  expectedMembersIgnored,
  adaptiveIgnored,
  fallbackIgnored,
  staticIdIgnored,
  noExpire,
  heartbeatAnyGeneration,
  offsetFetchV8PartitionZero,
  offsetFetchAllMeansZero,
  offsetCommitV8Underflow,
  commitLost,
  duplicateDelivery,
  listOffsetsV0AsV1,
  reencodedBatches,
  highWatermarkMissing,
  recordLost,
  deliverySkipped,
  slow,
]

export const defectNames: readonly string[] = defects.map(({ name }) => name)

const findDefect = (name: string): Defect => {
  const found = defects.find((defect) => defect.name === name)
  if (found !== undefined) return found
  throw new UsageError(
    `defect '${name}': allowed are ${defectNames.join(', ')}${didYouMean(name, defectNames)}`,
  )
}

/** Whether a broker with these settings, by Kafka's names, is any different for the named defect. Throws a `UsageError`. */
export const actsOn = (name: string, settings: Readonly<Record<string, string>>): boolean => {
  const { actsWith } = findDefect(name)
  return actsWith === undefined || parseSettings(settings)[actsWith] !== parseSettings({})[actsWith]
}

/**
 * Parts with the named bug in them, or with several, by commas. What a defect remembers is its own for each call: give
 * every broker parts of its own. Throws a `UsageError` that names what is allowed.
 */
export const withDefect = (parts: BrokerParts, names: string): BrokerParts =>
  names.split(',').reduce((made, name) => findDefect(name).apply(made), parts)
