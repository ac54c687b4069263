import { errorName } from '../protocol/errors.ts'
import type { Exchange, Finding, Plain, PlainObject } from './exchange.ts'
import type { Recording } from './transcript.ts'

/** A recording to read: one block per connection, one line per request and answer, findings marked below. */

const maxListed = 6

const shortObject = (value: PlainObject): string => {
  const { batches, records, firstOffset, nextOffset } = value
  if (batches !== undefined) {
    return records === 0
      ? 'no records'
      : `${Number(records)} records, offsets ${Number(firstOffset)} to ${Number(nextOffset) - 1}`
  }
  if (typeof value['opaque'] === 'string') return `${Number(value['sizeBytes'])} bytes`
  const fields = Object.entries(value).filter(isTelling)
  return `{${fields.map(([name, field]) => fieldText(name, field)).join(' ')}}`
}

const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
const hidden = new Set(['throttleTimeMs', 'sizeBytes', 'userData'])

/** Fields that hold their usual nothing say nothing. */
const isTelling = ([name, value]: [string, Plain]): boolean => {
  if (hidden.has(name) || value === null || value === '' || value === -1 || value === zeroUuid) {
    return false
  }
  if (typeof value !== 'object' || Array.isArray(value)) return true
  return Object.entries(value).some(isTelling)
}

const fieldText = (name: string, value: Plain): string => {
  if (name === 'errorCode') return value === 0 ? 'ok' : errorName(Number(value))
  return `${name}=${valueText(value)}`
}

const valueText = (value: Plain): string => {
  if (Array.isArray(value)) {
    const shown = value.slice(0, maxListed).map(valueText)
    const rest = value.length > maxListed ? [`… ${value.length - maxListed} more`] : []
    return `[${[...shown, ...rest].join(', ')}]`
  }
  if (typeof value === 'object' && value !== null) return shortObject(value)
  return typeof value === 'string' ? `'${value}'` : String(value)
}

const messageText = (message: PlainObject): string =>
  Object.entries(message)
    .filter(isTelling)
    .map(([name, value]) => fieldText(name, value))
    .join(' ')

const atText = (atUs: number): string => `${(atUs / 1e6).toFixed(6).padStart(12)}s`

const findingText = ({ level, message, text }: Finding): string =>
  `!! ${level}: ${message}: ${text}`

/** Two lines, and one per finding. */
export const exchangeLines = (exchange: Exchange): string[] => {
  const { api, version, request, response, requestedAtUs, answeredAtUs, findings } = exchange
  const answer =
    response === null || answeredAtUs === null
      ? api === 'Produce' && request['acks'] === 0
        ? 'no answer is due (acks 0)'
        : 'no answer'
      : `${((answeredAtUs - requestedAtUs) / 1_000).toFixed(3)} ms  ${messageText(response)}`
  return [
    `${atText(requestedAtUs)}  ${api} v${version}  -> ${messageText(request)}`,
    `${' '.repeat(15)}${' '.repeat(api.length + 2 + String(version).length)}  <- ${answer}`,
    ...findings.map((finding) => `${' '.repeat(15)}${findingText(finding)}`),
  ]
}

/** Ends with a newline. */
export const formatConversation = ({
  upstream,
  startedAt,
  exchanges,
  notes,
}: Recording): string => {
  const connections = new Set([
    ...exchanges.map(({ connection }) => connection),
    ...notes.map(({ connection }) => connection),
  ])
  const blocks = [...connections]
    .toSorted((a, b) => a - b)
    .map((connection) => {
      const own = exchanges.filter((exchange) => exchange.connection === connection)
      const ownNotes = notes.filter((note) => note.connection === connection)
      const client = own.find(({ clientId }) => clientId !== null)?.clientId ?? '(no client id)'
      return [
        `connection ${connection}  ${client}  ->  ${own[0]?.node ?? upstream}`,
        ...own.flatMap(exchangeLines),
        ...ownNotes.map(({ atUs, finding }) => `${atText(atUs)}  ${findingText(finding)}`),
      ].join('\n')
    })
  const marked = exchanges.flatMap((exchange) =>
    exchange.findings.map(
      (finding) => `  connection ${exchange.connection}: ${findingText(finding)}`,
    ),
  )
  const head = `recorded from ${upstream} at ${startedAt}: ${connections.size} connections, ${exchanges.length} exchanges`
  const findings =
    marked.length === 0 ? ['findings: none'] : [`findings: ${marked.length}`, ...marked]
  return `${[head, '', blocks.join('\n\n'), '', ...findings].join('\n')}\n`
}
