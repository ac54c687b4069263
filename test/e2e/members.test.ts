import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type MemberHandle, startMember } from '../../src/scenario/member-process.ts'
import {
  type MemberEvent,
  type MemberOptionsInput,
  parseMemberOptions,
} from '../../src/scenario/member-protocol.ts'
import { benchResult, isCompiled, makeFolder, processesOf, start, until } from './bin.ts'

/** Members of scenarios as processes of their own, on the embedded broker: exact counts, crashes, nothing left behind. */

const { folder, remove } = makeFolder()
const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist')
const memberMain = path.join(dist, 'src', 'scenario', 'member-main.js')
const memberLife = path.join(dist, 'src', 'scenario', 'member-life.cjs')
const broker = start(folder, ['broker', '--port', '0', '--data-dir', 'memory'])
const running = new Set<MemberHandle>()
let address = ''

beforeAll(async () => {
  await until('the broker', () => /127\.0\.0\.1:\d+/.test(broker.stdout() + broker.stderr()))
  address = /127\.0\.0\.1:\d+/.exec(broker.stdout() + broker.stderr())?.[0] ?? ''
})
afterEach(async () => {
  await Promise.all([...running].map((member) => member.crash()))
  running.clear()
})
afterAll(async () => {
  broker.child.kill('SIGTERM')
  await broker.ended
  await remove()
})

const produce = async (topic: string, count: number): Promise<string> => {
  const { result, code } = await benchResult(
    folder,
    ...['--mode', 'produce', '-b', address, '-t', topic, '--partitions', '4', '-w', '0s'],
    ...['-n', String(count)],
  )
  expect(code).toBe(0)
  return result.runId
}

const optionsOf = (topic: string, given: Partial<MemberOptionsInput>) =>
  parseMemberOptions({
    bootstrapServers: [address],
    topic,
    groupId: topic,
    clientId: 'm',
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 300,
    script: {},
    ...given,
  })

const join = (client: string, topic: string, given: Partial<MemberOptionsInput> = {}) => {
  const events: MemberEvent[] = []
  const command = [process.execPath, memberMain, client]
  const handle = startMember(
    command,
    optionsOf(topic, given),
    { onEvent: (event) => void events.push(event) },
    systemClock,
  )
  running.add(handle)
  const of = <Type extends MemberEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<MemberEvent, { type: Type }> => event.type === type)
  return {
    handle,
    of,
    partitions: () => of('assigned').at(-1)?.partitions ?? [],
    runs: () =>
      of('batch').flatMap(({ partition, runs }) => runs.map((run) => ({ partition, run }))),
  }
}

type Joined = ReturnType<typeof join>

const countOf = (...members: Joined[]) =>
  members.flatMap((member) => member.runs()).reduce((sum, { run }) => sum + run[1], 0)

/** Every sequence once, from 0 on, in each partition. */
const expectExact = (members: readonly Joined[], runId: string, total: number) => {
  const runs = members.flatMap((member) => member.runs())
  expect(new Set(runs.map(({ run }) => run[2]))).toEqual(new Set([Number.parseInt(runId, 16)]))
  let sum = 0
  for (const own of [0, 1, 2, 3]) {
    let next = 0
    for (const { run } of runs.filter(({ partition }) => partition === own)) {
      expect([run[0], run[4]]).toEqual([next, next])
      next += run[1]
    }
    sum += next
  }
  expect(sum).toBe(total)
}

it.each(['kafkajs', 'scripted'])(
  'two %s members share exactly what was produced; one crashes, and the other has it all',
  async (client) => {
    const topic = `crash-${client}`
    const runId = await produce(topic, 2_000)
    const a = join(client, topic, { clientId: 'a' })
    await until('the first assignment', () => a.partitions().length === 4)
    await until('all records', () => countOf(a) === 2_000)
    expectExact([a], runId, 2_000)
    const b = join(client, topic, { clientId: 'b' })
    await until('a share each', () => a.partitions().length === 2 && b.partitions().length === 2)
    expect([...a.partitions(), ...b.partitions()].toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3])
    expect(a.of('revoked').length).toBe(1)
    expect(await b.handle.crash()).toMatchObject({ signal: 'SIGKILL' })
    await until('the session to expire', () => a.partitions().length === 4)
    expect(b.of('left')).toEqual([])
    expect(a.of('assigned').map(({ generation }) => generation)).toEqual([1, 2, 3])
    expect(await a.handle.stop()).toMatchObject({ code: 0, isKilledAtLimit: false })
    expect(a.of('left').length).toBe(1)
    // What was committed is not read again.
    expect(countOf(a, b)).toBe(2_000)
  },
)

it('what a stopped member committed its successor goes on from', async () => {
  const runId = await produce('successor', 500)
  const a = join('kafkajs', 'successor', { commit: 'each-batch' })
  await until('all records', () => countOf(a) === 500)
  expect(await a.handle.stop()).toMatchObject({ code: 0 })
  expect(new Map(a.of('committed').flatMap(({ offsets }) => offsets)).size).toBe(4)
  const moreId = await produce('successor', 300)
  const b = join('scripted', 'successor')
  await until('the rest', () => countOf(b) === 300)
  expect(new Set(b.runs().map(({ run }) => run[2]))).toEqual(new Set([Number.parseInt(moreId, 16)]))
  expect(moreId).not.toBe(runId)
  expect(await b.handle.stop()).toMatchObject({ code: 0 })
})

it('what a library cannot do ends its member with the reason', async () => {
  const member = join('kafkajs', 'refused', { groupInstanceId: 'one' })
  expect(await member.handle.exited).toMatchObject({ code: 1 })
  expect(member.of('error').at(-1)).toMatchObject({
    isFatal: true,
    message: expect.stringContaining('group.instance.id') as string,
  })
  const other = join('kafkajs', 'refused', { assignor: 'cooperative-sticky' })
  expect(await other.handle.exited).toMatchObject({ code: 1 })
  expect(other.of('error').at(-1)?.message).toContain('cooperative-sticky')
})

it('what a member needs is compiled once', async () => {
  await produce('compiled', 10)
  const member = join('kafkajs', 'compiled')
  await until('the member', () => member.of('assigned').length > 0)
  await member.handle.stop()
  expect(await isCompiled(memberLife, 'kafkajs')).toBe(true)
})

it('nothing is left when the parent is killed, not even a paused member', async () => {
  await produce('orphan', 10)
  const parent = `
    import { startMember } from ${JSON.stringify(path.join(dist, 'src/scenario/member-process.js'))}
    import { systemClock } from ${JSON.stringify(path.join(dist, 'src/clock.js'))}
    const options = ${JSON.stringify(optionsOf('orphan', {}))}
    const member = startMember(${JSON.stringify([process.execPath, memberMain, 'kafkajs'])}, options, {
      onEvent: ({ type }) => {
        if (type !== 'assigned') return
        member.pause()
        console.log('paused')
      },
    }, systemClock)
  `
  const own = makeFolder()
  const child = spawn(process.execPath, ['--input-type=module', '-e', parent], {
    cwd: own.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  expect(processesOf(own.folder)).toHaveLength(2)
  child.kill('SIGKILL')
  await until('the end of the member', () => processesOf(own.folder).length === 0)
  await own.remove()
})
