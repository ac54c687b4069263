/** Whether a group has come to rest, as its members tell it. */
import { type Life, livesAt, ownedBy } from './evidence.ts'
import type { MemberEvent } from './member-protocol.ts'

/** So long without a group event, and a group in which everybody has a share is at rest. */
const quietMs = 700

const isGroupEvent = ({ type }: MemberEvent): boolean =>
  type === 'assigned' || type === 'revoked' || type === 'left' || type === 'joining'

const lastGroupEventMs = (lives: readonly Life[]): number =>
  Math.max(
    0,
    ...lives.flatMap(({ events, startedAtMs, endedAtMs }) => [
      startedAtMs,
      endedAtMs ?? 0,
      ...events.filter(isGroupEvent).map((event) => ('atMs' in event ? event.atMs : 0)),
    ]),
  )

export interface GroupAtRest {
  /** Long enough without an event to judge it. */
  readonly isQuiet: boolean
  /** What is wrong with how the partitions are shared out; null when nothing is. */
  readonly problem: string | null
}

/** The share that every one of `memberCount` members must have. */
export const fairShare = (partitionCount: number, memberCount: number): number =>
  memberCount === 0 ? 0 : Math.floor(partitionCount / memberCount)

const shareProblem = (
  lives: readonly Life[],
  partitionCount: number,
  atMs: number,
): string | null => {
  const live = livesAt(lives, atMs)
  const share = fairShare(partitionCount, live.length)
  const owners = new Map<number, string>()
  for (const life of live) {
    const owned = ownedBy(life, atMs)
    if (owned === null) return `${life.clientId} has no assignment`
    if (owned.length < share) {
      return `${life.clientId} owns ${owned.length} of ${partitionCount} partitions, at least ${share} are its share`
    }
    for (const partition of owned) {
      const other = owners.get(partition)
      if (other !== undefined)
        return `${other} and ${life.clientId} both own partition ${partition}`
      owners.set(partition, life.clientId)
    }
  }
  const orphans = Array.from({ length: partitionCount }, (_, index) => index).filter(
    (partition) => !owners.has(partition),
  )
  if (live.length === 0 || orphans.length === 0) return null
  return `nobody owns ${orphans.length === 1 ? 'partition' : 'partitions'} ${orphans.join(', ')}`
}

export const groupAtRest = (
  lives: readonly Life[],
  partitionCount: number,
  nowMs: number,
): GroupAtRest => ({
  isQuiet: nowMs - lastGroupEventMs(lives) >= quietMs,
  problem: shareProblem(lives, partitionCount, nowMs),
})

/** So long without a group event a group that is not well shared out will not become so: session expiry included. */
export const patienceMs = (longestSessionMs: number): number => longestSessionMs + 3_000

export const isStuck = (
  lives: readonly Life[],
  nowMs: number,
  sinceMs: number,
  limitMs: number,
): boolean => {
  // A process that has not come up yet is slow, not stuck.
  const isStarting = livesAt(lives, nowMs).some(({ events }) => events.length === 0)
  return !isStarting && nowMs - Math.max(sinceMs, lastGroupEventMs(lives)) >= limitMs
}
