import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { type MemberHandle, startMember } from './member-process.ts'
import { type MemberEvent, parseMemberOptions } from './member-protocol.ts'

const options = parseMemberOptions({
  bootstrapServers: ['127.0.0.1:1'],
  topic: 't',
  groupId: 'g',
  clientId: 'c',
})

const members: MemberHandle[] = []
afterEach(() => Promise.all(members.splice(0).map((member) => member.crash())))

const startScript = (script: string, ...more: string[]) => {
  const clock = new ManualClock(1_000)
  const events: MemberEvent[] = []
  const waiting: (() => void)[] = []
  const sink = {
    onEvent: (event: MemberEvent) => {
      events.push(event)
      for (const wake of waiting.splice(0)) wake()
    },
  }
  const command = more.length > 0 ? more : [process.execPath, '-e', script]
  const member = startMember(command, options, sink, clock)
  members.push(member)
  const eventCount = async (count: number) => {
    while (events.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { member, clock, events, eventCount }
}

/** Tells every line it gets as the library of a hello; ends with its input. */
const echo = `
  const tell = (library) => console.log(JSON.stringify({ type: 'hello', library, version: '1' }))
  require('node:readline').createInterface({ input: process.stdin }).on('line', tell)
`

const libraries = (events: readonly MemberEvent[]) =>
  events.map((event) => (event.type === 'hello' ? event.library : event.type))

test('a member gets its options, then commands, and leaves when it is told to', async () => {
  const { member, events, eventCount } = startScript(echo)
  member.commit()
  await eventCount(2)
  const exit = await member.stop()
  expect(libraries(events)).toEqual([
    JSON.stringify({ type: 'start', options }),
    '{"type":"commit"}',
    '{"type":"stop"}',
  ])
  expect(exit).toEqual({ code: 0, signal: null, isKilledAtLimit: false, errorOutput: '' })
  expect(member.hasExited).toBe(true)
})

test('a member that does not leave is killed at the limit', async () => {
  const { member, clock, eventCount } = startScript(`${echo}; setInterval(() => {}, 1000)`)
  await eventCount(1)
  const exit = member.stop(5_000)
  await eventCount(2)
  clock.advance(4_999)
  expect(member.hasExited).toBe(false)
  clock.advance(1)
  expect(await exit).toMatchObject({ code: null, signal: 'SIGKILL', isKilledAtLimit: true })
})

test('a crash is a kill, and asking more of the dead does no harm', async () => {
  const { member, eventCount } = startScript(echo)
  await eventCount(1)
  expect(await member.crash()).toMatchObject({ signal: 'SIGKILL', isKilledAtLimit: false })
  member.commit()
  member.pause()
  member.resume()
  expect(await member.stop()).toMatchObject({ signal: 'SIGKILL' })
})

test('a paused member says nothing until it is resumed', async () => {
  const { member, events, eventCount } = startScript(echo)
  await eventCount(1)
  member.pause()
  member.commit()
  // Long enough for a process that runs; one that is stopped needs no time at all to do nothing.
  await pause(150)
  expect(events).toHaveLength(1)
  member.resume()
  await eventCount(2)
  expect(libraries(events)[1]).toBe('{"type":"commit"}')
})

test('a paused member can be stopped and crashed', async () => {
  for (const end of ['stop', 'crash'] as const) {
    const { member, eventCount } = startScript(echo)
    await eventCount(1)
    member.pause()
    const exit = await member[end]()
    expect(exit.signal).toBe(end === 'stop' ? null : 'SIGKILL')
  }
})

test('a line that is no event becomes an error, and standard error is kept', async () => {
  const { member, events } = startScript(`
    process.stdout.write('{"type":"le')
    process.stdout.write('ft","atMs":1}\\nwarning: x\\n\\n{"type":"left"}\\n')
    process.stderr.write('it broke')
    process.exitCode = 1
  `)
  const exit = await member.exited
  expect(exit).toEqual({ code: 1, signal: null, isKilledAtLimit: false, errorOutput: 'it broke' })
  expect(events).toEqual([
    { type: 'left', atMs: 1 },
    {
      type: 'error',
      code: null,
      message: 'member event: not JSON: warning: x',
      isFatal: false,
      atMs: 1_000,
    },
    {
      type: 'error',
      code: null,
      message: expect.stringContaining('atMs') as string,
      isFatal: false,
      atMs: 1_000,
    },
  ])
})

test('a command that is not there ends at once and says why', async () => {
  const { member } = startScript('', '/no/such/program')
  expect(await member.exited).toMatchObject({
    code: null,
    signal: null,
    errorOutput: expect.stringContaining('ENOENT') as string,
  })
  expect(member.pid).toBeNull()
})
