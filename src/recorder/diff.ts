import { errorName } from '../protocol/errors.ts'
import type { Exchange, Plain, PlainObject } from './exchange.ts'
import { Mask } from './mask.ts'

/** Two recordings of one scenario, field by field: aligned by client, API and order of requests. */

export interface Difference {
  readonly clientId: string
  readonly api: string
  /** Which exchange of this client and API, from 1; null for what is compared over all of them. */
  readonly number: number | null
  /** Where in A (else in B) it was asked; orders the differences. */
  readonly atUs: number
  readonly field: string
  readonly a: string
  readonly b: string
}

/** How often these are asked depends on time alone, so they are compared by what they led to. */
const polled = new Set(['Fetch', 'Heartbeat'])

const clientOf = ({ clientId }: Exchange): string => clientId ?? '(no client id)'

const aligned = (exchanges: readonly Exchange[]): Map<string, Exchange[]> => {
  const groups = new Map<string, Exchange[]>()
  for (const exchange of exchanges) {
    const key = JSON.stringify([clientOf(exchange), exchange.api])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [exchange])
    else group.push(exchange)
  }
  return groups
}

const shown = (value: Plain | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? value : JSON.stringify(value)

interface FieldDifference {
  readonly field: string
  readonly a: string
  readonly b: string
}

/** What tells elements of a list apart, whatever their order. */
const keys = [
  'partitionIndex',
  'partition',
  'index',
  'name',
  'topic',
  'memberId',
  'apiKey',
  'groupId',
]

const keyOf = (element: Plain): string | null => {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return null
  const name = keys.find((key) => key in element)
  return name === undefined ? null : `${name} ${shown(element[name])}`
}

const labelsOf = (list: readonly Plain[]): string[] =>
  list.map((element, i) => keyOf(element) ?? String(i))

const lengthText = (list: readonly Plain[], only: readonly string[]): string =>
  `${list.length} elements${only.length > 0 ? `, only here: ${only.join(', ')}` : ''}`

const compareLists = (field: string, a: Plain[], b: Plain[]): FieldDifference[] => {
  const [inA, inB] = [labelsOf(a), labelsOf(b)]
  const fromA = new Map(a.map((element, i) => [inA[i], element]))
  const fromB = new Map(b.map((element, i) => [inB[i], element]))
  const onlyA = inA.filter((key) => !fromB.has(key))
  const onlyB = inB.filter((key) => !fromA.has(key))
  const common = inA.filter((key) => fromB.has(key))
  return [
    ...(onlyA.length + onlyB.length > 0
      ? [{ field, a: lengthText(a, onlyA), b: lengthText(b, onlyB) }]
      : []),
    ...common.flatMap((key) => compare(`${field}[${key}]`, fromA.get(key), fromB.get(key))),
  ]
}

const compare = (field: string, a: Plain | undefined, b: Plain | undefined): FieldDifference[] => {
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(field, a, b)
  const areObjects = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null
  if (areObjects && !Array.isArray(a) && !Array.isArray(b)) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
    return names.flatMap((name) =>
      compare(field === '' ? name : `${field}.${name}`, a[name], b[name]),
    )
  }
  if (shown(a) === shown(b)) return []
  const isError = field.endsWith('errorCode')
  const text = (value: Plain | undefined): string =>
    isError && typeof value === 'number' ? `${value} ${errorName(value)}` : shown(value)
  return [{ field, a: text(a), b: text(b) }]
}

interface Side {
  readonly mask: Mask
  readonly exchanges: readonly Exchange[]
}

const sideOf = (given: readonly Exchange[]): Side => {
  const exchanges = given.toSorted((a, b) => a.requestedAtUs - b.requestedAtUs)
  const mask = new Mask()
  mask.nameMembers(exchanges)
  return { mask, exchanges }
}

const messageOf = (exchange: Exchange, mask: Mask): PlainObject => ({
  version: exchange.version,
  request: mask.message(exchange.request),
  response: exchange.response === null ? null : mask.message(exchange.response),
  // Bytes at fault make both sides opaque, so the fault itself is compared.
  faults: exchange.findings
    .filter(({ level }) => level === 'broken')
    .map(({ message, field }) => `${message} ${field}`),
})

const compareEach = (
  a: readonly Exchange[],
  b: readonly Exchange[],
  masks: readonly [Mask, Mask],
): Difference[] => {
  const first = a[0] ?? b[0]
  if (first === undefined) return []
  const where = { clientId: clientOf(first), api: first.api }
  const found: Difference[] = []
  for (const [index, exchange] of a.entries()) {
    const other = b[index]
    if (other === undefined) break
    const differences = compare('', messageOf(exchange, masks[0]), messageOf(other, masks[1]))
    const atUs = exchange.requestedAtUs
    found.push(...differences.map((one) => ({ ...where, number: index + 1, atUs, ...one })))
  }
  if (a.length !== b.length) {
    const rest = a.length > b.length ? a[b.length] : b[a.length]
    const atUs = rest?.requestedAtUs ?? 0
    const counts = { a: String(a.length), b: String(b.length) }
    found.push({ ...where, number: null, atUs, field: 'number of requests', ...counts })
  }
  return found
}

interface PolledPartition {
  partitionIndex: number
  errorCode: number
  records?: { records?: number } | null
}
interface PolledAnswer {
  errorCode?: number
  responses?: { topic: string; topicId?: string; partitions: PolledPartition[] }[]
}

/** Error codes that came, and for Fetch how many records of each partition. */
const polledSummary = (exchanges: readonly Exchange[], mask: Mask): PlainObject => {
  const errorCodes = new Set<number>()
  const records = new Map<string, number>()
  const versions = new Set<number>()
  const faults = new Set<string>()
  for (const exchange of exchanges) {
    versions.add(exchange.version)
    for (const { level, message, field } of exchange.findings) {
      if (level === 'broken') faults.add(`${message} ${field}`)
    }
    const answer = (
      exchange.response === null ? {} : mask.message(exchange.response)
    ) as PolledAnswer
    errorCodes.add(answer.errorCode ?? 0)
    for (const { topic, topicId, partitions } of answer.responses ?? []) {
      for (const one of partitions) {
        errorCodes.add(one.errorCode)
        const key = `${topic === '' ? topicId : topic}-${one.partitionIndex}`
        records.set(key, (records.get(key) ?? 0) + (one.records?.records ?? 0))
      }
    }
  }
  return {
    version: [...versions].join(', '),
    errors: [...errorCodes]
      .toSorted((a, b) => a - b)
      .map(errorName)
      .join(', '),
    records: Object.fromEntries(records),
    faults: [...faults],
  }
}

const comparePolled = (
  a: readonly Exchange[],
  b: readonly Exchange[],
  masks: readonly [Mask, Mask],
): Difference[] => {
  const first = a[0] ?? b[0]
  if (first === undefined) return []
  const where = { clientId: clientOf(first), api: first.api, number: null }
  if (a.length === 0 || b.length === 0) {
    const counts = { a: String(a.length), b: String(b.length) }
    return [{ ...where, atUs: first.requestedAtUs, field: 'number of requests', ...counts }]
  }
  const differences = compare('', polledSummary(a, masks[0]), polledSummary(b, masks[1]))
  const atUs = first.requestedAtUs
  return differences.map((one) => ({ ...where, atUs, ...one }))
}

/** Every difference that matters, in the order of A. */
export const diffRecordings = (a: readonly Exchange[], b: readonly Exchange[]): Difference[] => {
  const [sideA, sideB] = [sideOf(a), sideOf(b)]
  const masks = [sideA.mask, sideB.mask] as const
  const [groupsA, groupsB] = [aligned(sideA.exchanges), aligned(sideB.exchanges)]
  const found = [...new Set([...groupsA.keys(), ...groupsB.keys()])].flatMap((key) => {
    const [inA, inB] = [groupsA.get(key) ?? [], groupsB.get(key) ?? []]
    const isPolled = polled.has((inA[0] ?? inB[0])?.api ?? '')
    return isPolled ? comparePolled(inA, inB, masks) : compareEach(inA, inB, masks)
  })
  return found.toSorted((one, other) => one.atUs - other.atUs)
}

const blockOf = ({ clientId, api, number, atUs, field, a, b }: Difference): string =>
  [
    `${clientId}  ${api}${number === null ? '' : ` #${number}`}  at ${(atUs / 1e6).toFixed(6)}s  ${field}`,
    `  A: ${a}`,
    `  B: ${b}`,
  ].join('\n')

/** Ends with a newline. */
export const formatDifferences = (differences: readonly Difference[]): string => {
  const first = differences[0]
  if (first === undefined) return 'no difference\n'
  const all = differences.map(blockOf).join('\n')
  return `first difference:\n${blockOf(first)}\n\nall ${differences.length}:\n${all}\n`
}
