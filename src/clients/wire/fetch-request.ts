/** One Fetch on its way: its bytes, and what its answer says of each partition, read where it arrived. */
import { decodeResponse } from '../../protocol/api.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../protocol/header.ts'
import { fetch } from '../../protocol/messages/fetch.ts'
import type { Decoded } from '../../protocol/schema.ts'
import type { Connection, Exchange } from './connection.ts'
import type { ConnectionError } from './errors.ts'

/** From here on a Fetch names topics by id (KIP-516). */
const firstVersionWithIds = 13
const isolationLevels = { 'read-uncommitted': 0, 'read-committed': 1 } as const

/** What all Fetches of a reader say alike. */
export interface FetchSettings {
  readonly clientId: string
  readonly topic: string
  readonly isolation: keyof typeof isolationLevels
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  /** Asks for a replica near this rack (KIP-392); '' for the leader. */
  readonly rackId: string
  /** Beyond `maxWaitMs`, for the answer to come. */
  readonly requestTimeoutMs: number
}

export interface FetchPosition {
  readonly partition: number
  readonly fetchOffset: number
  readonly leaderEpoch: number
}

export type FetchedPartition = Decoded<
  typeof fetch.response
>['responses'][number]['partitions'][number]

export interface FetchListener {
  /** The bytes in `partitions` are valid until this returns. `errorCode` is of the whole Fetch. */
  onAnswer(errorCode: number, partitions: readonly FetchedPartition[]): void
  onLost(error: ConnectionError): void
}

/** The version to fetch in; by name where the topic has no id. Throws a `ConnectionError` when there is none. */
const fetchVersionOf = (connection: Connection, topicId: string | null): number =>
  connection.versionOf(fetch, topicId === null ? firstVersionWithIds - 1 : fetch.maxVersion)

export const sendFetch = (
  connection: Connection,
  settings: FetchSettings,
  topicId: string | null,
  positions: readonly FetchPosition[],
  listener: FetchListener,
): void => {
  const version = fetchVersionOf(connection, topicId)
  const correlationId = connection.takeCorrelationId()
  const { clientId, topic, partitionMaxBytes } = settings
  const frame = Buffer.concat(
    encodeRequestFrame(
      fetch,
      version,
      { correlationId, clientId },
      {
        maxWaitMs: settings.maxWaitMs,
        minBytes: settings.minBytes,
        maxBytes: settings.maxBytes,
        isolationLevel: isolationLevels[settings.isolation],
        topics: [
          {
            topic,
            ...(topicId === null ? {} : { topicId }),
            partitions: positions.map(({ partition, fetchOffset, leaderEpoch }) => ({
              partition,
              fetchOffset,
              currentLeaderEpoch: leaderEpoch,
              partitionMaxBytes,
            })),
          },
        ],
        rackId: settings.rackId,
      },
    ),
  )
  const exchange: Exchange = {
    correlationId,
    deadlineNs: connection.deadlineNs(settings.maxWaitMs + settings.requestTimeoutMs),
    isWritten: false,
    onAnswer: (bytes, start, end) => {
      const { errorCode, responses } = decodeFetch(version, bytes.subarray(start, end))
      listener.onAnswer(
        errorCode,
        responses.flatMap(({ partitions }) => partitions),
      )
    },
    onLost: (error) => listener.onLost(error),
  }
  connection.enqueue(exchange, frame, 0, frame.length)
}

const decodeFetch = (version: number, frame: Buffer): Decoded<typeof fetch.response> => {
  const { bodyOffset } = decodeResponseHeader(fetch, version, frame)
  return decodeResponse(fetch, version, frame, bodyOffset)
}
