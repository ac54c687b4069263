import { errorCode } from '../protocol/errors.ts'
import { exchangeLines } from './conversation.ts'
import { type Exchange, errorCodesIn, type Plain } from './exchange.ts'

/** The exchanges that explain a failure, chosen from many and printed. */

export interface ExplainOptions {
  /** Only exchanges of these clients; without it of all. */
  readonly clientIds?: readonly string[]
  /** Only these APIs by Kafka's name; without it all. */
  readonly apis?: readonly string[]
  /** At most this many exchanges; what is left out is counted in the last line. */
  readonly limit: number
}

/** Parts of how every group comes together. */
const usualErrors: ReadonlySet<number> = new Set<number>([
  errorCode.MEMBER_ID_REQUIRED,
  errorCode.REBALANCE_IN_PROGRESS,
])
const groupApis = new Set(['JoinGroup', 'SyncGroup', 'LeaveGroup', 'OffsetFetch'])

const ownsNothing = ({ api, response }: Exchange): boolean => {
  if (api !== 'SyncGroup' || response?.['errorCode'] !== errorCode.NONE) return false
  const { sizeBytes, assignedPartitions } = response['assignment'] as {
    sizeBytes: number
    assignedPartitions?: Plain[]
  }
  return sizeBytes === 0 || assignedPartitions?.length === 0
}

interface Telling {
  readonly exchange: Exchange
  /** 0 tells most. */
  readonly rank: number
  /** Equal for exchanges that tell the same. */
  readonly kind: string
}

const tellingOf = (exchange: Exchange): Telling => {
  const { findings, api, clientId, response } = exchange
  const errors = errorCodesIn(response).filter((code) => !usualErrors.has(code))
  const isUnanswered = response === null && api !== 'Fetch' && api !== 'Produce'
  const isBroken = findings.some(({ level }) => level === 'broken')
  const rank = isBroken
    ? 0
    : findings.length > 0
      ? 1
      : errors.length > 0 || isUnanswered || ownsNothing(exchange)
        ? 2
        : groupApis.has(api)
          ? 3
          : 4
  const codes = findings.map(({ code }) => code)
  return { exchange, rank, kind: JSON.stringify([clientId, api, rank, codes, errors]) }
}

/** The first of each kind before any second of one, and of those the ones that tell most. */
const chosenOf = (exchanges: readonly Exchange[], limit: number): Exchange[] => {
  const counts = new Map<string, number>()
  return exchanges
    .map((exchange) => {
      const telling = tellingOf(exchange)
      const earlier = counts.get(telling.kind) ?? 0
      counts.set(telling.kind, earlier + 1)
      return { ...telling, earlier }
    })
    .toSorted((a, b) => a.earlier - b.earlier || a.rank - b.rank)
    .slice(0, limit)
    .map(({ exchange }) => exchange)
    .toSorted((a, b) => a.requestedAtUs - b.requestedAtUs)
}

/**
 * Lines to print, without newlines: of what a client chokes on, what is suspicious, refusals, missing answers, empty
 * assignments and the group's own messages the first of each client and kind, in the order in which they were asked.
 */
export const explain = (exchanges: readonly Exchange[], options: ExplainOptions): string[] => {
  const { clientIds, apis, limit } = options
  const asked = exchanges.filter(
    ({ clientId, api }) =>
      (clientIds === undefined || clientIds.includes(clientId ?? '')) &&
      (apis === undefined || apis.includes(api)),
  )
  const chosen = chosenOf(asked, limit)
  const lines = chosen.flatMap((exchange, index) => {
    const before = chosen[index - 1]
    const { connection, clientId, node } = exchange
    const isSame = before?.connection === connection && before.clientId === clientId
    const head = `${clientId ?? '(no client id)'}, connection ${connection} to ${node}`
    return [...(isSame ? [] : [head]), ...exchangeLines(exchange)]
  })
  const leftOut = asked.length - chosen.length
  return leftOut === 0 ? lines : [...lines, `${leftOut} more exchanges are not shown`]
}
