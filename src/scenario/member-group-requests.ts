/** What a scripted member asks the coordinator of its group, in the versions that its script allows. */
import { Cluster } from '../clients/wire/cluster.ts'
import { ConnectionError } from '../clients/wire/errors.ts'
import {
  GroupRequests,
  type GroupVersions,
  type JoinAnswer,
  type Protocol,
} from '../clients/wire/group-requests.ts'
import { type Clock, sleep } from '../clock.ts'
import { errorCode, errorName } from '../protocol/errors.ts'
import type { MemberOptions, MemberScript } from './member-protocol.ts'

const answerLimitMs = 10_000
/** Enough for a request to arrive before its connection is closed. */
const lossDelayMs = 100
const passing: readonly number[] = [
  errorCode.COORDINATOR_LOAD_IN_PROGRESS,
  errorCode.COORDINATOR_NOT_AVAILABLE,
  errorCode.NOT_COORDINATOR,
  errorCode.ILLEGAL_GENERATION,
  errorCode.UNKNOWN_MEMBER_ID,
  errorCode.REBALANCE_IN_PROGRESS,
  errorCode.MEMBER_ID_REQUIRED,
]

/** An error code of the coordinator. */
export class GroupRefusal extends Error {
  readonly code: number
  /** Clients join again after it; else they give up. */
  readonly isPassing: boolean

  constructor(doing: string, code: number) {
    super(`${doing}: ${errorName(code)}`)
    this.code = code
    this.isPassing = passing.includes(code)
  }
}

/** Highest versions of the other requests in the Kafka that brought each version of JoinGroup. */
const versionsWith = (join: number): GroupVersions => {
  if (join >= 7) return { join, sync: 5, heartbeat: 4, leave: 5, commit: 9 }
  if (join === 6) return { join, sync: 4, heartbeat: 4, leave: 4, commit: 8 }
  if (join === 5) return { join, sync: 3, heartbeat: 3, leave: 3, commit: 7 }
  return { join, sync: 2, heartbeat: 2, leave: 2, commit: 6 }
}

const versionsOf = (script: MemberScript | null): GroupVersions => ({
  ...(script?.maxJoinVersion == null ? {} : versionsWith(script.maxJoinVersion)),
  ...(script?.maxOffsetFetchVersion == null ? {} : { offsetFetch: script.maxOffsetFetchVersion }),
})

export class ScriptedRequests extends GroupRequests {
  readonly #clock: Clock

  constructor(cluster: Cluster, options: MemberOptions, clock: Clock) {
    super(cluster, { ...options, answerLimitMs, maxVersions: versionsOf(options.script ?? null) })
    this.#clock = clock
  }

  /** As if the connection ended before the answer. Always rejects. */
  async joinInVain(memberId: string, protocol: Protocol): Promise<JoinAnswer> {
    const connection = await this.coordinator('group')
    this.join(memberId, protocol).catch(() => {})
    await sleep(this.#clock, lossDelayMs)
    connection.close()
    throw new ConnectionError('closed', connection.address, 'closed before the answer')
  }
}

export type MemberRequests = Pick<
  ScriptedRequests,
  | 'join'
  | 'joinInVain'
  | 'sync'
  | 'heartbeat'
  | 'leave'
  | 'commit'
  | 'startPositions'
  | 'partitionsOf'
  | 'close'
>

/** Rejects with a `SurroundingsError` when no broker answers. */
export const openGroupRequests = async (
  options: MemberOptions,
  clock: Clock,
): Promise<ScriptedRequests> => {
  const { bootstrapServers, clientId, topic } = options
  const connection = {
    bootstrapServers,
    clientId,
    connectTimeoutMs: answerLimitMs,
    requestTimeoutMs: answerLimitMs,
    security: { tls: null, sasl: null },
    properties: {},
  }
  const cluster = await Cluster.open(connection, clock, { topics: [topic] })
  return new ScriptedRequests(cluster, options, clock)
}
