// Consumer groups: what each API answers in every version, and the trace of a rebalance as Kafka plays it.

/** A subscription of the consumer protocol, version 0, to one topic. */
const subscription = (topic) => {
  const name = Buffer.from(topic)
  const head = Buffer.alloc(8)
  head.writeInt32BE(1, 2)
  head.writeInt16BE(name.length, 6)
  return Buffer.concat([head, name, Buffer.from('ffffffff', 'hex')])
}

/** One member on its own connection. Its answers are written down under its name. */
class Member {
  constructor(client, group, name, { version = 5, instance = null, topic = 'gr', ...rest } = {}) {
    Object.assign(this, { client, group, name, version, instance, topic })
    this.sessionMs = rest.sessionMs ?? 10_000
    this.rebalanceMs = rest.rebalanceMs ?? 10_000
    this.id = ''
    this.generation = -1
    this.leads = false
  }

  static async open(s, group, name, options) {
    return new Member(await s.open(name), group, name, options)
  }

  joinRequest({ protocols, protocolType = 'consumer', ...rest } = {}) {
    return {
      groupId: this.group,
      sessionTimeoutMs: this.sessionMs,
      rebalanceTimeoutMs: this.rebalanceMs,
      memberId: this.id,
      groupInstanceId: this.instance,
      protocolType,
      protocols: protocols ?? [{ name: 'range', metadata: subscription(this.topic) }],
      reason: 'conformance',
      ...rest,
    }
  }

  /** `{ done, parked }` of one JoinGroup. */
  beginJoin(label, options) {
    const call = this.client.begin(
      `${this.name} ${label}`,
      'JoinGroup',
      this.version,
      this.joinRequest(options),
    )
    const done = call.done.then((answer) => {
      if (answer === null) return null
      if (answer.errorCode === 0 || answer.errorCode === 79) this.id = answer.memberId
      if (answer.errorCode === 0) {
        this.generation = answer.generationId
        this.leads = answer.leader === answer.memberId
      }
      return answer
    })
    return { ...call, done }
  }

  join(label, options) {
    return this.beginJoin(label, options).done
  }

  /** Both steps of KIP-394 where the version has them. */
  async joinFully(label, options) {
    const answer = await this.join(label, options)
    return answer?.errorCode === 79 ? this.join(`${label}, with the id`, options) : answer
  }

  syncRequest(assignments = []) {
    return {
      groupId: this.group,
      generationId: this.generation,
      memberId: this.id,
      groupInstanceId: this.instance,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: assignments.map(([member, text]) => ({
        memberId: member.id,
        assignment: Buffer.from(text),
      })),
    }
  }

  beginSync(label, assignments, rest = {}) {
    return this.client.begin(`${this.name} ${label}`, 'SyncGroup', Math.min(this.version, 5), {
      ...this.syncRequest(assignments),
      ...rest,
    })
  }

  sync(label, assignments, rest) {
    return this.beginSync(label, assignments, rest).done
  }

  heartbeat(label, rest = {}) {
    return this.client.call(`${this.name} ${label}`, 'Heartbeat', Math.min(this.version, 4), {
      groupId: this.group,
      generationId: this.generation,
      memberId: this.id,
      groupInstanceId: this.instance,
      ...rest,
    })
  }

  commit(label, rest = {}, partition = {}) {
    return this.client.call(`${this.name} ${label}`, 'OffsetCommit', 7, {
      groupId: this.group,
      generationIdOrMemberEpoch: this.generation,
      memberId: this.id,
      groupInstanceId: this.instance,
      topics: [
        {
          name: partition.topic ?? this.topic,
          partitions: [
            {
              partitionIndex: partition.index ?? 0,
              committedOffset: 5,
              committedMetadata: partition.metadata ?? '',
            },
          ],
        },
      ],
      ...rest,
    })
  }

  leave(label, members = [{ memberId: this.id, groupInstanceId: this.instance }]) {
    return this.client.call(`${this.name} ${label}`, 'LeaveGroup', 3, {
      groupId: this.group,
      members,
    })
  }
}

const everyVersion = {
  name: 'groups, every version',
  async run(s) {
    const setup = await s.open()
    await s.createTopic(setup, 'gr', 3)
    await Promise.all(s.versions('JoinGroup').map((v) => this.life(s, v)))
  },

  /** A group of one from its first join to its end, with the other APIs at the matching version. */
  async life(s, v) {
    const group = `life-${v}`
    const at = (api) => Math.min(v, s.versions(api).at(-1))
    const a = await Member.open(s, group, `a${v}`, { version: v })
    await a.joinFully('joins')
    await a.heartbeat('heartbeats before it syncs')
    await a.sync('syncs', [[a, 'assigned']])
    await a.heartbeat('heartbeats')
    await a.heartbeat('heartbeats with a generation too high', { generationId: 9 })
    await a.heartbeat('heartbeats as nobody', { memberId: 'nobody' })
    await a.heartbeat('heartbeats in an unknown group', { groupId: 'gr-nope' })
    await a.heartbeat('heartbeats without a group', { groupId: '' })
    await a.sync('syncs again')
    await a.sync('syncs as nobody', [], { memberId: 'nobody' })
    await a.sync('syncs with a generation too high', [], { generationId: 9 })
    await a.sync('syncs in an unknown group', [], { groupId: 'gr-nope' })
    await a.sync('syncs without a group', [], { groupId: '' })
    if (v >= 5) await a.sync('syncs with another protocol', [], { protocolName: 'other' })
    if (v >= 5) await a.sync('syncs with another type', [], { protocolType: 'connect' })
    await this.refusedJoins(s, v, group)
    const c = await s.open(`d${v}`)
    const describe = (label, groups) =>
      c.call(label, 'DescribeGroups', at('DescribeGroups'), {
        groups,
        includeAuthorizedOperations: v === 4,
      })
    await describe(`describe ${v}`, [group, 'gr-nope'])
    await describe(`describe none ${v}`, [])
    await describe(`describe the empty name ${v}`, [''])
    const leave = (label, memberId, groupId = group) =>
      c.call(`${label} ${v}`, 'LeaveGroup', at('LeaveGroup'), {
        groupId,
        memberId,
        members: [{ memberId, groupInstanceId: null, reason: 'conformance' }],
      })
    await leave('leave as nobody', 'nobody')
    await leave('leave an unknown group', 'nobody', 'gr-nope')
    await leave('leave without a group', 'nobody', '')
    await c.call(`delete while it lives ${v}`, 'DeleteGroups', at('DeleteGroups'), {
      groupsNames: [group],
    })
    await leave('leave', a.id)
    await leave('leave again', a.id)
    await describe(`describe the empty group ${v}`, [group])
    await c.call(`delete ${v}`, 'DeleteGroups', at('DeleteGroups'), {
      groupsNames: [group, 'gr-nope'],
    })
    await c.call(`delete the empty name ${v}`, 'DeleteGroups', at('DeleteGroups'), {
      groupsNames: [''],
    })
    await describe(`describe the deleted group ${v}`, [group])
  },

  async refusedJoins(s, v, group) {
    const b = await Member.open(s, group, `b${v}`, { version: v })
    await b.join('joins without a group', { groupId: '' })
    await b.join('joins with a short session', { sessionTimeoutMs: 100 })
    await b.join('joins with a long session', { sessionTimeoutMs: 10_000_000 })
    await b.join('joins as nobody', { memberId: 'nobody' })
    await b.join('joins an unknown group as nobody', { memberId: 'nobody', groupId: 'gr-nope' })
    await b.join('joins with no protocol of theirs', {
      protocols: [{ name: 'other', metadata: Buffer.alloc(0) }],
    })
    await b.join('joins with another type', { protocolType: 'connect' })
    await b.join('joins with no protocol at all', { protocols: [] })
    await b.join('joins a new group with no protocol', {
      protocols: [],
      groupId: `gr-new-${v}`,
    })
    await b.join('joins a new group with no type', {
      protocolType: '',
      groupId: `gr-new-${v}`,
    })
  },
}

const offsets = {
  name: 'group offsets',
  async run(s) {
    const c = await s.open()
    await s.createTopic(c, 'go', 3)
    const commit = (label, v, groupId, partitions, rest = {}) =>
      c.call(label, 'OffsetCommit', v, {
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [{ name: 'go', partitions }],
        ...rest,
      })
    const at = (partitionIndex, committedOffset, committedMetadata = '') => ({
      partitionIndex,
      committedOffset,
      committedMetadata,
    })
    for (const v of s.versions('OffsetCommit')) {
      const group = `go-${v}`
      await commit('one', v, group, [at(0, 5)])
      await commit('several', v, group, [
        at(0, 7, 'note'),
        { ...at(2, 9), committedLeaderEpoch: 0 },
      ])
      await commit('unknown partition', v, group, [at(0, 8), at(77, 1)])
      await commit('long metadata', v, group, [at(1, 8, 'x'.repeat(5_000))])
      await commit('null metadata', v, group, [at(1, 8, null)])
      await commit('a negative offset', v, group, [at(1, -4)])
      await commit('nothing', v, group, [])
      await commit('without topics', v, group, [], { topics: [] })
      await commit('to the empty group', v, '', [at(0, 5)])
      await commit('by nobody', v, group, [at(0, 5)], { memberId: 'nobody' })
      await commit('with a generation', v, group, [at(0, 5)], {
        memberId: 'nobody',
        generationIdOrMemberEpoch: 3,
      })
      await commit('with a generation to an unknown group', v, 'go-nope', [at(0, 5)], {
        memberId: 'nobody',
        generationIdOrMemberEpoch: 3,
      })
      await commit('unknown topic', v, group, [], {
        topics: [{ name: 'go-nope', partitions: [at(0, 1)] }],
      })
    }
    await this.fetches(s, c)
    await this.lists(s, c)
    await this.deletes(s, c)
  },

  async fetches(s, c) {
    for (const v of s.versions('OffsetFetch')) {
      const get = (label, groupId, topics, rest = {}) =>
        c.call(label, 'OffsetFetch', v, {
          groupId,
          topics,
          groups: [{ groupId, topics }],
          ...rest,
        })
      const all = [{ name: 'go', partitionIndexes: [0, 1, 2] }]
      await get('three partitions', 'go-7', all)
      await get('an unknown partition too', 'go-7', [{ name: 'go', partitionIndexes: [0, 77] }])
      await get('an unknown topic too', 'go-7', [
        ...all,
        { name: 'go-nope', partitionIndexes: [0] },
      ])
      await get('of an unknown group', 'go-nope', all)
      await get('of the empty group', '', all)
      await get('no topics', 'go-7', [])
      if (v >= 2) await get('all', 'go-7', null)
      if (v >= 2) await get('all of an unknown group', 'go-nope', null)
      if (v >= 7) await get('stable ones', 'go-7', all, { requireStable: true })
      if (v >= 8) {
        await get('several groups', '', null, {
          groups: [
            { groupId: 'go-7', topics: all },
            { groupId: 'go-nope', topics: null },
            { groupId: 'go-6', topics: null },
          ],
        })
        await get('no groups', '', null, { groups: [] })
      }
      if (v >= 9) {
        await get('as nobody', '', null, {
          groups: [{ groupId: 'go-7', memberId: 'nobody', memberEpoch: 3, topics: all }],
        })
      }
    }
  },

  async lists(s, c) {
    for (const v of s.versions('ListGroups')) {
      const list = async (label, request) => {
        const answer = await c.ask('ListGroups', v, request)
        const mine = answer.groups.filter(({ groupId }) => groupId.startsWith('go-'))
        const step = `${label}, those of this scenario v${v}`
        const groups = mine.toSorted((one, two) => (one.groupId < two.groupId ? -1 : 1))
        s.note(step, { ...answer, groups }, 'ListGroups')
      }
      await list('list', {})
      if (v >= 4) await list('list empty ones', { statesFilter: ['Empty'] })
      if (v >= 4) await list('list stable ones', { statesFilter: ['Stable'] })
      if (v >= 4) await list('list in lower case', { statesFilter: ['empty'] })
      if (v >= 4) await list('list in an unknown state', { statesFilter: ['Bogus'] })
      if (v >= 5) await list('list classic ones', { typesFilter: ['classic'] })
      if (v >= 5) await list('list Classic ones', { typesFilter: ['Classic'] })
      if (v >= 5) await list('list ones of the new protocol', { typesFilter: ['consumer'] })
      if (v >= 5) await list('list ones of an unknown type', { typesFilter: ['bogus'] })
    }
  },

  async deletes(s, c) {
    for (const v of s.versions('OffsetDelete')) {
      const remove = (label, groupId, name, indexes) =>
        c.call(label, 'OffsetDelete', v, {
          groupId,
          topics: [{ name, partitions: indexes.map((partitionIndex) => ({ partitionIndex })) }],
        })
      await remove('of a group', 'go-7', 'go', [0])
      await remove('again', 'go-7', 'go', [0])
      await remove('unknown partition', 'go-7', 'go', [77])
      await remove('unknown topic', 'go-7', 'go-nope', [0])
      await remove('of an unknown group', 'go-nope', 'go', [0])
      await remove('of the empty group', '', 'go', [0])
      const all = [{ name: 'go', partitionIndexes: [0, 1, 2] }]
      await c.call('what is left', 'OffsetFetch', 7, { groupId: 'go-7', topics: all })
    }
  },
}

const findCoordinator = {
  name: 'find coordinator',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('FindCoordinator')) {
      const find = (label, key, keyType = 0) =>
        c.call(label, 'FindCoordinator', v, { key, keyType, coordinatorKeys: [key] })
      await find('of a group', 'some')
      await find('of the empty group', '')
      if (v >= 1) await find('of kind 7', 'some', 7)
      if (v >= 4) {
        await c.call('of several', 'FindCoordinator', v, { coordinatorKeys: ['some', 'other'] })
        await c.call('of none', 'FindCoordinator', v, { coordinatorKeys: [] })
      }
    }
  },
}

const trace = {
  name: 'rebalance',
  async run(s) {
    const setup = await s.open()
    await s.createTopic(setup, 'gr-trace', 3)
    const options = { topic: 'gr-trace' }
    const a = await Member.open(s, 'trace', 'A', options)
    const b = await Member.open(s, 'trace', 'B', options)
    const d = await Member.open(s, 'trace', 'D', options)
    await a.join('joins without an id')
    const first = a.beginJoin('joins')
    await first.parked('A is parked while the first delay runs', 150)
    await first.done
    await a.heartbeat('heartbeats before it syncs')
    await a.commit('commits before it syncs')
    await a.sync('syncs', [[a, 'asgA']])
    await a.heartbeat('heartbeats')
    await a.heartbeat('heartbeats with a wrong generation', { generationId: 9 })
    await a.heartbeat('heartbeats as nobody', { memberId: 'zz' })
    await a.commit('commits')
    await a.commit('commits with a wrong generation', { generationIdOrMemberEpoch: 7 })
    await a.commit('commits as nobody', { memberId: 'zz' })
    await a.commit('commits as no member', { memberId: '', generationIdOrMemberEpoch: -1 })
    await a.commit('commits to an unknown topic', {}, { topic: 'nope' })
    await a.commit('commits to an unknown partition', {}, { index: 99 })
    await a.commit('commits long metadata', {}, { metadata: 'x'.repeat(5_000) })
    await b.join('joins the stable group without an id')
    await a.heartbeat('heartbeats while B has only an id')
    const second = b.beginJoin('joins the stable group')
    await second.parked('B is parked', 500)
    await a.heartbeat('heartbeats while B waits')
    await a.commit('commits while B waits')
    await a.sync('syncs while B waits')
    await a.join('joins again')
    await second.done
    const follower = b.beginSync('syncs before the leader')
    await follower.parked('B is parked until the leader syncs', 400)
    await a.heartbeat('heartbeats while the group completes')
    await a.commit('commits while the group completes')
    await a.join('joins again while the group completes')
    await a.sync('hands in the assignments', [
      [a, 'a2'],
      [b, 'b2'],
    ])
    await follower.done
    await b.sync('syncs again')
    await b.join('joins again with the same subscription')
    await a.heartbeat('heartbeats after B joined again')
    b.topic = 'other'
    const changed = b.beginJoin('joins with another subscription')
    await changed.parked('B is parked with another subscription', 300)
    await a.heartbeat('heartbeats after B changed')
    await a.join('joins for generation 3')
    await changed.done
    await a.sync('assigns nothing to B', [[a, 'a3']])
    await b.sync('syncs without an assignment')
    const lead = a.beginJoin('joins as the leader of a stable group')
    await lead.parked('A is parked as the leader', 200)
    await b.heartbeat('heartbeats after the leader joined')
    await b.join('follows')
    await lead.done
    await a.sync('assigns again', [
      [a, 'a4'],
      [b, 'b4'],
    ])
    await b.sync('takes its part')
    await d.leave('leaves as nobody', [{ memberId: 'zz', groupInstanceId: null }])
    await d.leave('leaves by an unknown instance', [{ memberId: '', groupInstanceId: 'nope' }])
    await b.leave('leaves')
    await a.heartbeat('heartbeats after B left')
    await a.join('is alone again')
    await a.sync('assigns to itself', [[a, 'alone']])
    await setup.call('the group in the end', 'DescribeGroups', 5, { groups: ['trace'] })
  },
}

const waits = {
  name: 'rebalance, waits',
  async run(s) {
    const setup = await s.open()
    await s.createTopic(setup, 'gr-waits', 3)
    await Promise.all([this.extended(s), this.absent(s), this.pending(s), this.neverSyncs(s)])
  },

  /** A member that comes during the first delay extends it. */
  async extended(s) {
    const a = await Member.open(s, 'extended', 'A1', { version: 3 })
    const b = await Member.open(s, 'extended', 'B1', { version: 3 })
    const startedMs = performance.now()
    const first = a.beginJoin('joins')
    await s.sleep(300)
    const second = b.beginJoin('joins 300 ms later')
    await first.parked('A1 is parked 700 ms after its join', 400)
    await Promise.all([first.done, second.done])
    s.note(
      'both are answered within 0.4 s of 1 s',
      Math.abs(performance.now() - startedMs - 1_000) < 400,
    )
  },

  /** A member that heartbeats but does not join again is out after the rebalance timeout. */
  async absent(s) {
    const a = await Member.open(s, 'absent', 'A2', { rebalanceMs: 1_500 })
    const c = await Member.open(s, 'absent', 'C2', { rebalanceMs: 1_500 })
    await a.joinFully('joins')
    await a.sync('syncs', [[a, 'x']])
    await c.join('joins without an id')
    const startedMs = performance.now()
    const joined = c.beginJoin('joins')
    await joined.parked('C2 is parked for a second', 1_000)
    await a.heartbeat('heartbeats')
    await joined.done
    const tookMs = performance.now() - startedMs
    s.note('C2 is answered within 0.4 s of 1.5 s', Math.abs(tookMs - 1_500) < 400)
    await a.heartbeat('heartbeats when it is out')
    await a.commit('commits when it is out')
    await c.sync('syncs', [[c, 'all']])
  },

  /** An id that was given and never used holds the rebalance until its session ends. */
  async pending(s) {
    const a = await Member.open(s, 'pending', 'A3')
    const d = await Member.open(s, 'pending', 'D3', { sessionMs: 1_500 })
    await a.joinFully('joins')
    await a.sync('syncs', [[a, 'x']])
    await d.join('takes an id and goes')
    const startedMs = performance.now()
    a.topic = 'other'
    const again = a.beginJoin('joins again')
    await again.parked('A3 is parked by the unused id', 1_000)
    await again.done
    const tookMs = performance.now() - startedMs
    s.note('A3 is answered within 0.4 s of 1.5 s', Math.abs(tookMs - 1_500) < 400)
  },

  /** A member that joins and never syncs is out after the rebalance timeout, and its session after that. */
  async neverSyncs(s) {
    const options = { version: 3, rebalanceMs: 1_500 }
    const a = await Member.open(s, 'never-syncs', 'A4', options)
    const e = await Member.open(s, 'never-syncs', 'E4', options)
    const first = a.join('joins')
    await s.sleep(100)
    await Promise.all([first, e.join('joins')])
    await a.sync('syncs', [[a, '1']])
    await s.sleep(1_000)
    const early = await a.client.ask('Heartbeat', 3, {
      groupId: 'never-syncs',
      generationId: a.generation,
      memberId: a.id,
    })
    await s.sleep(800)
    const late = await a.client.ask('Heartbeat', 3, {
      groupId: 'never-syncs',
      generationId: a.generation,
      memberId: a.id,
    })
    const gone = await e.client.ask('Heartbeat', 3, {
      groupId: 'never-syncs',
      generationId: e.generation,
      memberId: e.id,
    })
    s.note('heartbeats of the leader after 1 s and 1.8 s, of the other one then', [
      early.errorCode,
      late.errorCode,
      gone.errorCode,
    ])
  },
}

const staticMembers = {
  name: 'static members',
  async run(s) {
    const setup = await s.open()
    await s.createTopic(setup, 'gr-static', 3)
    await Promise.all(s.versions('JoinGroup', 5).map((v) => this.life(s, v)))
  },

  async life(s, v) {
    const group = `static-${v}`
    const options = { version: v, instance: 'i1', topic: 'gr-static' }
    const one = await Member.open(s, group, `S${v}`, options)
    const two = await Member.open(s, group, `T${v}`, options)
    await one.join('joins')
    await one.sync('syncs', [[one, 'st']])
    await one.join('joins again with its id')
    const oldId = one.id
    await one.sync('syncs again', [[one, 'st2']])
    await two.join('takes the instance over')
    s.note(`the id is new ${v}`, two.id !== oldId)
    await one.heartbeat('heartbeats with the old id')
    await one.commit('commits with the old id')
    await one.sync('syncs with the old id')
    await one.join('joins with the old id')
    await one.leave('leaves with the old id')
    await two.sync('syncs with the new id')
    await two.heartbeat('heartbeats with the new id')
    const c = await s.open(`d${v}`)
    await c.call(`describe ${v}`, 'DescribeGroups', Math.min(v, 5), { groups: [group] })
    const stranger = await Member.open(s, group, `U${v}`, { ...options, instance: 'i2' })
    stranger.id = two.id
    await stranger.heartbeat('heartbeats under another instance')
    await stranger.join('joins under another instance')
    await two.leave('leaves by its instance alone', [{ memberId: '', groupInstanceId: 'i1' }])
    await two.heartbeat('heartbeats after it left')
    await c.call(`describe the empty group ${v}`, 'DescribeGroups', Math.min(v, 5), {
      groups: [group],
    })
  },
}

export const groupScenarios = [everyVersion, offsets, findCoordinator, trace, waits, staticMembers]
