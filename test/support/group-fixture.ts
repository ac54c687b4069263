import { GroupCoordinator } from '../../src/broker/group/coordinator.ts'
import type { JoinAnswer, JoinRequest, SyncAnswer } from '../../src/broker/group/requests.ts'
import type { GroupRules } from '../../src/broker/group/rules.ts'
import { parseSettings } from '../../src/broker/settings.ts'
import { type Journal, memoryJournal } from '../../src/broker/store/journal.ts'
import { encodeSubscription } from '../../src/protocol/consumer-protocol.ts'
import { ManualClock } from './manual-clock.ts'

/** A coordinator on virtual time, and short ways to ask it things as a member of group `g`. */

/** An answer on its way: null until it has come, and then when it came, in ms of the clock. */
export interface Awaiting<T> {
  value: T | null
  atMs: number | null
}

export interface FixtureOptions {
  settings?: Record<string, string>
  journal?: Journal
  rules?: GroupRules
  /** How many partitions every topic has. */
  partitions?: number
}

export const groupFixture = ({
  settings = {},
  journal,
  rules,
  partitions = 0,
}: FixtureOptions = {}) => {
  const clock = new ManualClock()
  const lines: string[] = []
  let nextId = 1
  const groups = new GroupCoordinator({
    clock,
    settings: parseSettings({ 'group.initial.rebalance.delay.ms': '500', ...settings }),
    journal: journal ?? memoryJournal(),
    log: (line) => void lines.push(line),
    newMemberId: (prefix) => `${prefix}-${nextId++}`,
    partitionCountOf: () => partitions,
    ...(rules === undefined ? {} : { rules }),
  })

  const watch = async <T>(answer: T | Promise<T>): Promise<Awaiting<T>> => {
    const awaited: Awaiting<T> = { value: null, atMs: null }
    void Promise.resolve(answer).then((value) => {
      awaited.value = value
      awaited.atMs = clock.elapsedMs
    })
    await clock.advanceAsync(0)
    return awaited
  }

  const join = (
    clientId: string,
    memberId = '',
    more: Partial<JoinRequest> = {},
  ): Promise<Awaiting<JoinAnswer>> =>
    watch(
      groups.joinGroup({
        groupId: 'g',
        memberId,
        groupInstanceId: null,
        clientId,
        clientHost: '/127.0.0.1',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [range('t1')],
        isMemberIdRequired: true,
        canSkipAssignment: false,
        ...more,
      }),
    )

  const sync = (
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    groupInstanceId: string | null = null,
    protocol: { protocolType?: string; protocolName?: string } = {},
  ): Promise<Awaiting<SyncAnswer>> =>
    watch(
      groups.syncGroup({
        groupId: 'g',
        memberId,
        groupInstanceId,
        generationId,
        protocolType: null,
        protocolName: null,
        ...protocol,
        assignments: Object.entries(assignments).map(([to, text]) => ({
          memberId: to,
          assignment: Buffer.from(text),
        })),
      }),
    )

  return {
    clock,
    lines,
    groups,
    join,
    sync,
    heartbeat: (
      memberId: string,
      generationId: number,
      groupInstanceId: string | null = null,
      groupId = 'g',
    ): number => groups.heartbeat({ groupId, memberId, groupInstanceId, generationId }),
    leave: (memberId: string, groupInstanceId: string | null = null) =>
      groups.leaveGroup('g', [{ memberId, groupInstanceId }]),
    commit: (
      memberId: string,
      generationId: number,
      more: {
        groupInstanceId?: string
        groupId?: string
        topic?: string
        partition?: number
        offset?: number
        metadata?: string
        knowsGroupIdNotFound?: boolean
      } = {},
    ): number | undefined =>
      groups.commitOffsets({
        groupId: more.groupId ?? 'g',
        memberId,
        groupInstanceId: more.groupInstanceId ?? null,
        generationId,
        knowsGroupIdNotFound: more.knowsGroupIdNotFound ?? false,
        offsets: [
          {
            topic: more.topic ?? 't1',
            partition: more.partition ?? 0,
            offset: more.offset ?? 5,
            leaderEpoch: -1,
            metadata: more.metadata ?? '',
          },
        ],
      })[0],
    describe: (groupId = 'g') => groups.describeGroup(groupId),
    /** Takes members of these client ids through joins and sync into a Stable group; answers their member ids. */
    stable: async (...clientIds: string[]): Promise<string[]> => {
      const memberIds: string[] = []
      for (const clientId of clientIds) {
        memberIds.push((await join(clientId)).value?.memberId ?? '')
      }
      const joins: Awaiting<JoinAnswer>[] = []
      for (const memberId of memberIds) joins.push(await join('', memberId))
      while (joins.some(({ value }) => value === null)) await clock.advanceAsync(100)
      const first = joins[0]?.value
      await sync(
        first?.leader ?? '',
        first?.generationId ?? -1,
        Object.fromEntries(memberIds.map((memberId) => [memberId, `to ${memberId}`])),
      )
      for (const memberId of memberIds) await sync(memberId, first?.generationId ?? -1)
      return memberIds
    },
  }
}

/** The protocol `range` with a subscription of `topics`. */
export const range = (...topics: string[]) => ({
  name: 'range',
  metadata: encodeSubscription(0, { topics, userData: null }),
})
