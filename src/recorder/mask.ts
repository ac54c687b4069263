import type { Exchange, Plain, PlainObject } from './exchange.ts'

/**
 * Makes two recordings of one scenario comparable: ids, names and addresses become numbers in the order in which they
 * are first seen, times and sizes go.
 */

type Kind = 'member' | 'node' | 'cluster' | 'topic' | 'topic id' | 'producer' | 'session' | 'group'

const kindOfField: Readonly<Record<string, Kind>> = {
  memberId: 'member',
  leader: 'member',
  nodeId: 'node',
  brokerId: 'node',
  leaderId: 'node',
  controllerId: 'node',
  replicaNodes: 'node',
  isrNodes: 'node',
  offlineReplicas: 'node',
  preferredReadReplica: 'node',
  clusterId: 'cluster',
  topic: 'topic',
  topicId: 'topic id',
  producerId: 'producer',
  sessionId: 'session',
  groupId: 'group',
  key: 'group',
  coordinatorKeys: 'group',
  topicNames: 'topic',
}

/** Values that mean "none", which are kept. */
const none: ReadonlySet<Plain> = new Set<Plain>([null, '', -1, 'AAAAAAAAAAAAAAAAAAAAAA'])
const timed = /^(?:throttleTimeMs|.*TimestampMs|timestamp|logAppendTimeMs)$/
const left = new Set([
  'host',
  'port',
  'clientHost',
  'sizeBytes',
  'opaque',
  'errorMessage',
  'userData',
])
/** Lists whose elements' `name` is a topic. */
const topicLists = new Set(['topics', 'topicData', 'responses', 'forgottenTopicsData'])

export class Mask {
  private readonly numbers = new Map<Kind, Map<Plain, string>>()

  private numbered(kind: Kind, value: Plain): Plain {
    if (none.has(value) || (kind === 'session' && value === 0)) return value
    const known = this.numbers.get(kind) ?? new Map<Plain, string>()
    this.numbers.set(kind, known)
    const found = known.get(value) ?? `<${kind} ${known.size + 1}>`
    known.set(value, found)
    return found
  }

  /** Members are numbered per client, so that the order in which clients came does not matter. */
  nameMembers(exchanges: readonly Exchange[]): void {
    const members = new Map<Plain, string>()
    const counts = new Map<string, number>()
    for (const { api, clientId, response } of exchanges) {
      const memberId = response?.['memberId'] ?? ''
      if (api !== 'JoinGroup' || memberId === '' || members.has(memberId)) continue
      const client = clientId ?? ''
      const number = (counts.get(client) ?? 0) + 1
      counts.set(client, number)
      members.set(memberId, `<member ${number} of ${client}>`)
    }
    this.numbers.set('member', members)
  }

  private field(name: string, value: Plain, list: string): Plain {
    if (timed.test(name) || left.has(name)) return none.has(value) ? value : `<${name}>`
    const isTopicName = name === 'name' && topicLists.has(list)
    const isTopicList = name === 'topics' && list !== 'topics'
    const kind = isTopicName ? 'topic' : kindOfField[name]
    if (Array.isArray(value)) {
      return value.map((element) =>
        isTopicList && typeof element === 'string'
          ? this.numbered('topic', element)
          : this.field(typeof element === 'object' ? '' : name, element, name),
      )
    }
    if (typeof value === 'object' && value !== null) return this.message(value, list)
    return kind === undefined ? value : this.numbered(kind, value)
  }

  message(value: PlainObject, list = ''): PlainObject {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, this.field(name, field, list)]),
    )
  }
}
