// Topics and what is told of the cluster, in every version.
import { zeroUuid as zero } from '../../../dist/src/protocol/schema.js'

const unknownId = 'qqqqu7u7TMyN3e7u7u7u7g'
const topic = (name, numPartitions = 1, rest = {}) => ({
  name,
  numPartitions,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...rest,
})

const apiVersions = {
  name: 'api versions',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('ApiVersions')) {
      const request = { clientSoftwareName: 'bench', clientSoftwareVersion: '1' }
      await c.call('ask', 'ApiVersions', v, request)
    }
    for (const v of s.versions('ApiVersions', 3)) {
      const request = { clientSoftwareName: '', clientSoftwareVersion: '' }
      await c.call('no software name', 'ApiVersions', v, request)
      const spaced = { clientSoftwareName: 'a b', clientSoftwareVersion: '1' }
      await c.call('a software name with a space', 'ApiVersions', v, spaced)
    }
  },
}

const saslHandshake = {
  name: 'sasl handshake',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('SaslHandshake')) {
      await c.call('on a plaintext listener', 'SaslHandshake', v, { mechanism: 'PLAIN' })
    }
  },
}

const describeCluster = {
  name: 'describe cluster',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('DescribeCluster')) {
      const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }
      await c.call('ask', 'DescribeCluster', v, request)
      await c.call('with operations', 'DescribeCluster', v, {
        includeClusterAuthorizedOperations: true,
        includeFencedBrokers: true,
      })
    }
    for (const v of s.versions('DescribeCluster', 1)) {
      for (const endpointType of [2, 7]) {
        const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }
        await c.call(`endpoint type ${endpointType}`, 'DescribeCluster', v, {
          ...request,
          endpointType,
        })
      }
    }
  },
}

/** Goes first: it asks for all topics, of which there are few then. */
const metadata = {
  name: 'metadata',
  async run(s) {
    const c = await s.open()
    const topicId = await s.createTopic(c, 'meta-a', 3)
    await s.createTopic(c, 'meta-b', 1)
    const plain = {
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    for (const v of s.versions('Metadata')) {
      const ask = (label, request) => {
        const topics = request.topics?.map((one) => ({ topicId: zero, ...one })) ?? null
        return c.call(label, 'Metadata', v, { ...plain, ...request, topics })
      }
      await ask('all', { topics: v === 0 ? [] : null })
      if (v > 0) await ask('none', { topics: [] })
      await ask('known', { topics: [{ name: 'meta-a' }, { name: 'meta-b' }] })
      await ask('twice the same', { topics: [{ name: 'meta-a' }, { name: 'meta-a' }] })
      await ask('bad name', { topics: [{ name: 'a b' }] })
      await ask('empty name', { topics: [{ name: '' }] })
      if (v >= 4) await ask('unknown', { topics: [{ name: 'nope' }, { name: 'meta-b' }] })
      if (v >= 8) {
        await ask('with operations', {
          topics: [{ name: 'meta-b' }],
          includeClusterAuthorizedOperations: true,
          includeTopicAuthorizedOperations: true,
        })
      }
      if (v >= 10) await ask('by id', { topics: [{ topicId, name: v >= 12 ? null : '' }] })
      if (v >= 10) await ask('by an unknown id', { topics: [{ topicId: unknownId, name: null }] })
      if (v >= 12) await ask('by id and name', { topics: [{ topicId, name: 'meta-a' }] })
      if (v >= 12) await ask('neither id nor name', { topics: [{ name: null }] })
    }
    for (const v of s.versions('Metadata')) {
      const made = {
        topics: [{ name: `meta-made-${v}`, topicId: zero }],
        allowAutoTopicCreation: true,
      }
      await c.call('unknown, may be made', 'Metadata', v, { ...plain, ...made })
      await s.untilLed(c, `meta-made-${v}`, 1)
      await c.call('made meanwhile', 'Metadata', v, { ...plain, ...made })
    }
  },
}

const createTopics = {
  name: 'create topics',
  async run(s) {
    const c = await s.open()
    await s.createTopic(c, 'ct_taken.x')
    const long = 'x'.repeat(250)
    for (const v of s.versions('CreateTopics')) {
      const create = (label, topics, validateOnly = false) =>
        c.call(label, 'CreateTopics', v, { topics, timeoutMs: 10_000, validateOnly })
      await create('new', [topic(`ct-${v}`, 2)])
      await create('taken', [topic('ct_taken.x')])
      await create('colliding', [topic('ct.taken_x')])
      await create('bad names', [topic('a b'), topic(''), topic('.'), topic('..'), topic(long)])
      await create('no partitions', [topic(`ct-${v}-b`, 0)])
      await create('-2 partitions', [topic(`ct-${v}-b`, -2)])
      await create('three replicas', [topic(`ct-${v}-b`, 1, { replicationFactor: 3 })])
      await create('no replicas', [topic(`ct-${v}-b`, 1, { replicationFactor: 0 })])
      const config = (name, value) => topic(`ct-${v}-b`, 1, { configs: [{ name, value }] })
      await create('unknown config', [config('bogus.cfg', '1')])
      await create('config of no number', [config('retention.ms', 'abc')])
      await create('config out of range', [config('segment.bytes', '1')])
      await create('config null', [config('retention.ms', null)])
      await create('config set', [
        topic(`ct-${v}-set`, 1, { configs: [{ name: 'max.message.bytes', value: '1000' }] }),
      ])
      await create('only checked', [topic(`ct-${v}-c`, 2)], true)
      await create('only checked and taken', [topic('ct_taken.x')], true)
      await create('twice in one request', [topic(`ct-${v}-d`), topic(`ct-${v}-d`, 2)])
      if (v >= 4) await create('defaults', [topic(`ct-${v}-e`, -1, { replicationFactor: -1 })])
      const assigned = (...assignments) =>
        topic(`ct-${v}-f`, -1, {
          replicationFactor: -1,
          assignments: assignments.map(([partitionIndex, ...brokerIds]) => ({
            partitionIndex,
            brokerIds,
          })),
        })
      await create('assigned with a gap', [assigned([0, 1], [2, 1])])
      await create('assigned to an unknown broker', [assigned([0, 9])])
      await create('assigned twice to a broker', [assigned([0, 1, 1])])
      await create('assigned to nobody', [assigned([0])])
      await create('assigned and counted', [
        { ...assigned([0, 1]), numPartitions: 1, replicationFactor: 1 },
      ])
      await create('assigned', [assigned([0, 1], [1, 1])])
      await create('none', [])
    }
  },
}

const deleteTopics = {
  name: 'delete topics',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('DeleteTopics')) {
      const names = [`dt-${v}-a`, `dt-${v}-b`]
      const ids = []
      for (const name of names) ids.push(await s.createTopic(c, name))
      const remove = (label, topics) =>
        c.call(label, 'DeleteTopics', v, {
          topics,
          topicNames: topics.map(({ name }) => name),
          timeoutMs: 10_000,
        })
      await remove('there', [{ name: names[0], topicId: zero }])
      await s.untilGone(c, names[0])
      await remove('again', [{ name: names[0], topicId: zero }])
      await remove('unknown', [{ name: 'nope', topicId: zero }])
      await remove('bad name', [{ name: 'a b', topicId: zero }])
      await remove('none', [])
      await remove('twice in one request', [
        { name: 'nope', topicId: zero },
        { name: 'nope', topicId: zero },
      ])
      if (v >= 6) {
        await remove('id and name', [{ name: names[1], topicId: ids[1] }])
        await remove('neither id nor name', [{ name: null, topicId: zero }])
        await remove('by id', [{ name: null, topicId: ids[1] }])
        await remove('by an unknown id', [{ name: null, topicId: unknownId }])
      }
    }
  },
}

const createPartitions = {
  name: 'create partitions',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('CreatePartitions')) {
      const name = `cp-${v}`
      await s.createTopic(c, name, 2)
      const grow = (label, topics, validateOnly = false) =>
        c.call(label, 'CreatePartitions', v, {
          topics: topics.map((one) => ({ assignments: null, ...one })),
          timeoutMs: 10_000,
          validateOnly,
        })
      await grow('only checked', [{ name, count: 5 }], true)
      await grow('more', [{ name, count: 3 }])
      await s.untilLed(c, name, 3)
      await grow('fewer', [{ name, count: 1 }])
      await grow('as many', [{ name, count: 3 }])
      await grow('none at all', [{ name, count: 0 }])
      await grow('of an unknown topic', [{ name: 'nope', count: 3 }])
      await grow('twice in one request', [
        { name, count: 4 },
        { name, count: 5 },
      ])
      const assigned = (count, ...brokers) => ({
        name,
        count,
        assignments: brokers.map((brokerIds) => ({ brokerIds })),
      })
      await grow('assigned too few', [assigned(6, [1])])
      await grow('assigned to an unknown broker', [assigned(4, [7])])
      await grow('assigned', [assigned(4, [1])])
      await grow('none', [])
    }
  },
}

const configs = {
  name: 'configs',
  async run(s) {
    const c = await s.open()
    const configNames = ['retention.ms', 'max.message.bytes', 'cleanup.policy']
    await s.createTopic(c, 'cfg', 1, [{ name: 'max.message.bytes', value: '2000' }])
    for (const v of s.versions('DescribeConfigs')) {
      const describe = (label, resourceType, resourceName, keys, rest = {}) =>
        c.call(label, 'DescribeConfigs', v, {
          resources: [{ resourceType, resourceName, configurationKeys: keys }],
          includeSynonyms: false,
          includeDocumentation: false,
          ...rest,
        })
      await describe('of a topic', 2, 'cfg', configNames)
      await describe('of a topic, all', 2, 'cfg', null)
      await describe('of a topic, with synonyms', 2, 'cfg', configNames, { includeSynonyms: true })
      await describe('of a topic, none', 2, 'cfg', [])
      await describe('of a topic, unknown name', 2, 'cfg', ['bogus'])
      await describe('of an unknown topic', 2, 'nope', configNames)
      await describe('of a bad topic name', 2, 'a b', configNames)
      await describe('of the broker', 4, '1', ['message.max.bytes', 'num.partitions'])
      await describe('of the cluster', 4, '', ['message.max.bytes'])
      await describe('of an unknown broker', 4, '9', ['message.max.bytes'])
      await describe('of a broker that is no number', 4, 'x', ['message.max.bytes'])
      await describe('of an unknown kind', 77, 'x', null)
    }
    for (const v of s.versions('IncrementalAlterConfigs')) {
      const name = `cfg-alter-${v}`
      await s.createTopic(c, name)
      const alter = (label, resourceName, changes, resourceType = 2, validateOnly = false) =>
        c.call(label, 'IncrementalAlterConfigs', v, {
          resources: [
            {
              resourceType,
              resourceName,
              configs: changes.map(([key, configOperation, value]) => ({
                name: key,
                configOperation,
                value,
              })),
            },
          ],
          validateOnly,
        })
      const shown = async (label) => {
        await s.sleep(300)
        const request = {
          resources: [{ resourceType: 2, resourceName: name, configurationKeys: configNames }],
          includeSynonyms: false,
          includeDocumentation: false,
        }
        await c.call(`${label} (altered by v${v})`, 'DescribeConfigs', 2, request)
      }
      await alter('only checked', name, [['retention.ms', 0, '500000']], 2, true)
      await shown('after only checked')
      await alter('set', name, [['retention.ms', 0, '600000']])
      await shown('after set')
      await alter('deleted', name, [['retention.ms', 1, null]])
      await shown('after deleted')
      await alter('no number', name, [['retention.ms', 0, 'abc']])
      await alter('null', name, [['retention.ms', 0, null]])
      await alter('out of range', name, [['max.message.bytes', 0, '-5']])
      await alter('unknown config', name, [['bogus', 0, '1']])
      await alter('twice the same', name, [
        ['retention.ms', 0, '1'],
        ['retention.ms', 0, '2'],
      ])
      await alter('unknown operation', name, [['retention.ms', 9, '1']])
      await alter('append to a number', name, [['retention.ms', 2, '1']])
      await alter('unknown topic', 'nope', [['retention.ms', 0, '1']])
      await alter('unknown kind', 'x', [['retention.ms', 0, '1']], 77)
      await alter('nothing', name, [])
      await shown('after all')
    }
  },
}

/** Of the answers of one broker: there is nowhere to move to. */
const reassignments = {
  name: 'reassignments',
  async run(s) {
    const name = 'reassigned'
    const c = await s.open()
    await s.createTopic(c, name, 2)
    const cases = {
      'where it is': [[0, [1]]],
      'to nobody': [[0, []]],
      'to a node that is not there': [[0, [2]]],
      'to one node twice': [[0, [1, 1]]],
      cancel: [[0, null]],
      'no such partition': [[7, [1]]],
      'two partitions': [
        [0, [1]],
        [1, [1]],
      ],
      nothing: [],
    }
    for (const v of s.versions('AlterPartitionReassignments')) {
      const alter = (label, topicName, partitions, rest = {}) =>
        c.call(label, 'AlterPartitionReassignments', v, {
          timeoutMs: 5000,
          topics: [
            {
              name: topicName,
              partitions: partitions.map(([partitionIndex, replicas]) => ({
                partitionIndex,
                replicas,
              })),
            },
          ],
          ...rest,
        })
      for (const [label, partitions] of Object.entries(cases)) await alter(label, name, partitions)
      await alter('no such topic', 'nope', [[0, [1]]])
      await alter('cancel in no such topic', 'nope', [[0, null]])
      if (v >= 1) {
        await alter('the same count', name, [[0, [1]]], { allowReplicationFactorChange: false })
      }
    }
    for (const v of s.versions('ListPartitionReassignments')) {
      const list = (label, topics) =>
        c.call(label, 'ListPartitionReassignments', v, { timeoutMs: 5000, topics })
      await list('of all', null)
      await list('of one topic', [{ name, partitionIndexes: [0, 1] }])
      await list('of no such topic', [{ name: 'nope', partitionIndexes: [0] }])
    }
    for (const v of s.versions('ElectLeaders')) {
      const elect = (label, topicPartitions, electionType = 0) =>
        c.call(label, 'ElectLeaders', v, { timeoutMs: 5000, electionType, topicPartitions })
      await elect('preferred', [{ topic: name, partitions: [0, 1] }])
      await elect('leader of no such partition', [{ topic: name, partitions: [9] }])
      await elect('leader of no such topic', [{ topic: 'nope', partitions: [0] }])
      await elect('none', [])
      if (v < 1) continue
      await elect('unclean', [{ topic: name, partitions: [0] }], 1)
      await elect('unknown election', [{ topic: name, partitions: [0] }], 7)
    }
  },
}

export const topicScenarios = [
  metadata,
  apiVersions,
  saslHandshake,
  describeCluster,
  createTopics,
  deleteTopics,
  createPartitions,
  configs,
  reassignments,
]
