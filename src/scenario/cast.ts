/** The members of a scenario on their timeline: starts their processes, ends them as told, keeps what they say. */
import { type Clock, sleep } from '../clock.ts'
import { UsageError } from '../errors.ts'
import { type Life, ownedBy } from './evidence.ts'
import type { Scenario } from './load.ts'
import { findMemberCommand, type MemberClient } from './member-clients.ts'
import { type MemberHandle, startMember } from './member-process.ts'
import { type MemberEvent, type MemberOptions, parseMemberOptions } from './member-protocol.ts'
import type { MemberAction } from './schema.ts'

export interface CastOptions {
  readonly scenario: Scenario
  readonly clock: Clock
  readonly client: MemberClient
  /** Sessions shorter than this would be refused by the broker. */
  readonly minSessionMs: number
  readonly place: { bootstrapServers: readonly string[]; topic: string; groupId: string }
}

/** Members of a scenario whose library is not installed, by the reason. */
export class MemberMissing extends Error {}

const stopLimitMs = 15_000
const leastStepMs = 0.000_1
const commitLimitMs = 3_000
const commitTickMs = 20

/** The command lines of all clients that the scenario needs. Throws a `MemberMissing` when one cannot be started. */
export const findCommands = async (
  scenario: Scenario,
  client: MemberClient,
): Promise<Map<MemberClient, readonly string[]>> => {
  const wanted = new Set(Object.values(scenario.members).map((member) => member.client ?? client))
  const commands = new Map<MemberClient, readonly string[]>()
  for (const name of wanted) {
    const { command, reason } = await findMemberCommand(name)
    if (command === null) throw new MemberMissing(reason)
    commands.set(name, command)
  }
  return commands
}

interface Player {
  readonly life: Life
  readonly handle: MemberHandle
}

export class Cast {
  readonly lives: Life[] = []
  readonly #options: CastOptions
  readonly #commands: ReadonlyMap<MemberClient, readonly string[]>
  #startedEpochMs: number
  readonly #players = new Map<string, Player>()
  /** Time of the last event of each. */
  readonly #lastMs = new Map<Life, number>()
  /** Highest position told by any member, by partition. */
  readonly #positions = new Map<number, number>()

  constructor(options: CastOptions, commands: ReadonlyMap<MemberClient, readonly string[]>) {
    this.#options = options
    this.#commands = commands
    this.#startedEpochMs = options.clock.epochMs()
  }

  /** The timeline begins now. */
  begin(): void {
    this.#startedEpochMs = this.#options.clock.epochMs()
  }

  /** Time of the timeline. */
  nowMs(): number {
    return this.#options.clock.epochMs() - this.#startedEpochMs
  }

  position(partition: number): number {
    return this.#positions.get(partition) ?? 0
  }

  /** Resolves when the action is done: for `stop` and `crash`, when the processes have ended. */
  async act(action: MemberAction, members: readonly string[]): Promise<void> {
    await Promise.all(members.map((member) => this.#actOne(action, member)))
  }

  /** All that own something commit; resolves when each has said how it went, or after a while. */
  async commitAll(): Promise<void> {
    const sinceMs = this.nowMs()
    const owners = [...this.#players.values()].filter(
      ({ life }) => !life.isPaused && (ownedBy(life, sinceMs) ?? []).length > 0,
    )
    for (const { handle } of owners) handle.commit()
    const isAwaited = ({ events, end }: Life): boolean =>
      end === null &&
      !events.some(
        (event) => (event.type === 'committed' || event.type === 'error') && event.atMs >= sinceMs,
      )
    while (this.nowMs() - sinceMs < commitLimitMs && owners.some(({ life }) => isAwaited(life))) {
      await sleep(this.#options.clock, commitTickMs)
    }
  }

  /** Tells all that still run to leave, the paused ones too. */
  async stopAll(): Promise<void> {
    await this.act('stop', [...this.#players.keys()])
  }

  /** At once, without leaving; for a scenario that is given up. */
  async killAll(): Promise<void> {
    await this.act('crash', [...this.#players.keys()])
  }

  async #actOne(action: MemberAction, member: string): Promise<void> {
    if (action === 'start') return this.#start(member)
    const player = this.#players.get(member)
    // It gave up before its time; the checks tell.
    if (player === undefined) return action === 'restart' ? this.#start(member) : undefined
    const { life, handle } = player
    switch (action) {
      case 'stop':
        return this.#stop(player)
      case 'restart':
        await this.#stop(player)
        return this.#start(member)
      case 'crash':
        life.end = 'crashed'
        await handle.crash()
        return
      case 'pause':
        life.isPaused = true
        return handle.pause()
      case 'resume':
        life.isPaused = false
        return handle.resume()
      case 'commit':
        return handle.commit()
      default:
        action satisfies never
    }
  }

  async #stop({ life, handle }: Player): Promise<void> {
    life.end = 'stopped'
    const exit = await handle.stop(stopLimitMs)
    if (exit.isKilledAtLimit) life.problem = `did not stop within ${stopLimitMs} ms`
  }

  #start(member: string): void {
    const { clock, client } = this.#options
    const settings = this.#options.scenario.members[member]
    if (settings === undefined) throw new UsageError(`${member}: no such member`)
    const number = this.lives.filter((life) => life.member === member).length + 1
    const clientId = number === 1 ? member : `${member}.${number}`
    const life: Life = {
      member,
      number,
      clientId,
      client: settings.client ?? client,
      startedAtMs: this.nowMs(),
      endedAtMs: null,
      end: null,
      problem: null,
      isPaused: false,
      events: [],
      batches: [],
    }
    this.lives.push(life)
    const command = this.#commands.get(settings.client ?? client) ?? []
    const handle = startMember(
      command,
      this.#memberOptions(member, clientId),
      { onEvent: (event) => this.#onEvent(life, event) },
      clock,
    )
    this.#players.set(member, { life, handle })
    void handle.exited.then((exit) => {
      life.endedAtMs = this.nowMs()
      if (this.#players.get(member)?.life === life) this.#players.delete(member)
      const lastLine = exit.errorOutput.trim().split('\n').at(-1) ?? ''
      if (life.end !== null) return
      life.end = 'gave-up'
      life.problem ??=
        `ended by itself (${exit.signal ?? `exit code ${exit.code}`}) ${lastLine}`.trim()
    })
  }

  #memberOptions(member: string, clientId: string): MemberOptions {
    const { scenario, client, place, minSessionMs } = this.#options
    const { group } = scenario
    const own = scenario.members[member]
    return parseMemberOptions({
      ...place,
      bootstrapServers: [...place.bootstrapServers],
      clientId,
      groupInstanceId: own?.instanceId ?? null,
      assignor: own?.assignor ?? group.assignor,
      sessionTimeoutMs: Math.max(minSessionMs, own?.session ?? group.session),
      heartbeatIntervalMs: group.heartbeat,
      rebalanceTimeoutMs: own?.rebalance ?? group.rebalance,
      commit: group.commit,
      batchDelayMs: own?.batchDelay ?? 0,
      script: (own?.client ?? client) === 'scripted' ? (own?.script ?? {}) : null,
    })
  }

  #onEvent(life: Life, event: MemberEvent): void {
    if (event.type === 'hello') {
      life.client = `${event.library} ${event.version}`
      return
    }
    // A clock of whole ms cannot order what a member told within one: what came later is later.
    const lastMs = this.#lastMs.get(life) ?? Number.NEGATIVE_INFINITY
    const atMs = Math.max(event.atMs - this.#startedEpochMs, lastMs + leastStepMs)
    this.#lastMs.set(life, atMs)
    const timed = { ...event, atMs }
    if (timed.type === 'batch') {
      life.batches.push(timed)
      const { partition, toOffset } = timed
      this.#positions.set(partition, Math.max(this.position(partition), toOffset))
      return
    }
    life.events.push(timed)
    if (timed.type === 'error' && timed.isFatal) life.problem = timed.message
  }
}
