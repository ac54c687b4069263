import type { DescribedGroup } from '../../src/broker/group/requests.ts'
import type { Exchange } from './exchange.ts'
import type { Generations } from './generations.ts'
import type { Schedule } from './schedule.ts'
import type { Blame } from './witness.ts'

/** Who is in the group, and whether whoever appears or disappears had a reason to (I7). */

interface Known {
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** When its session began anew for the last time, at least. */
  contactMs: number
}

type DescribedMember = DescribedGroup['members'][number]

export class Presence {
  readonly #blame: Blame
  readonly #nowMs: () => number
  readonly #schedule: Schedule
  readonly #generations: Generations
  readonly #known = new Map<string, Known>()
  readonly #handedOut = new Set<string>()
  readonly #left = new Set<string>()
  /** How many joins and syncs of a member are waiting for their answers. */
  readonly #waiting = new Map<string, number>()
  #rebalanceBeganMs = 0
  #shortestWaitMs = 0

  constructor(blame: Blame, nowMs: () => number, schedule: Schedule, generations: Generations) {
    this.#blame = blame
    this.#nowMs = nowMs
    this.#schedule = schedule
    this.#generations = generations
  }

  onJoin({ request }: Exchange<'JoinGroup'>): void {
    if (request.memberId !== '') this.#know(request.memberId, request)
  }

  onJoined({ request }: Exchange<'JoinGroup'>, memberId: string): void {
    this.#know(memberId, request)
  }

  onWaiting(memberId: string, change: 1 | -1): void {
    this.#waiting.set(memberId, (this.#waiting.get(memberId) ?? 0) + change)
  }

  onLeave({ request }: Exchange<'LeaveGroup'>): void {
    this.#left.add(request.memberId)
    for (const { memberId } of request.members) this.#left.add(memberId)
  }

  onHandedOut(memberId: string): void {
    this.#handedOut.add(memberId)
  }

  onContact(memberId: string): void {
    const known = this.#known.get(memberId)
    if (known !== undefined) known.contactMs = this.#nowMs()
  }

  forget(): void {
    this.#known.clear()
    this.#handedOut.clear()
    this.#waiting.clear()
  }

  isLeader(memberId: string): boolean {
    return this.#generations.isLeader(memberId)
  }

  /** Whether those that were there when it began have been waited for as long as one of them asks for. */
  get isJoinPhaseOver(): boolean {
    return this.#nowMs() - this.#rebalanceBeganMs >= this.#shortestWaitMs
  }

  see(before: DescribedGroup | null, now: DescribedGroup | null): void {
    if (now?.state === 'PreparingRebalance' && before?.state !== 'PreparingRebalance') {
      this.#rebalanceBeganMs = this.#nowMs()
      this.#shortestWaitMs = Math.min(
        ...now.members.map(({ memberId }) => this.#known.get(memberId)?.rebalanceTimeoutMs ?? 0),
      )
    }
    const [old, current] = [before?.members ?? [], now?.members ?? []]
    for (const member of current) if (!has(old, member)) this.#checkAppeared(member)
    for (const member of old) if (!has(current, member)) this.#checkGone(member, before, current)
  }

  /** null where nobody goes when the leader is late: its time is not told, or the coordinator assigns in its place. */
  get #leaderSyncTimeoutMs(): number | null {
    const { settings, clients } = this.#schedule
    const timeoutMs = settings['leader.sync.timeout.ms']
    // What cooperative members own is not handed over in one step, so there the leader goes.
    const mayOwn = clients.some(({ assignors }) => assignors.includes('cooperative-sticky'))
    const isReplaced = settings['leader.sync.fallback'] === 'assign' && !mayOwn
    return timeoutMs === undefined || isReplaced ? null : Number(timeoutMs)
  }

  #know(memberId: string, request: Exchange<'JoinGroup'>['request']): void {
    const { sessionTimeoutMs } = request
    const rebalanceTimeoutMs =
      request.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs
    const contactMs = this.#known.get(memberId)?.contactMs ?? this.#nowMs()
    this.#known.set(memberId, { sessionTimeoutMs, rebalanceTimeoutMs, contactMs })
  }

  #checkAppeared({ memberId, groupInstanceId, clientId }: DescribedMember): void {
    const traits = this.#schedule.clients[Number(clientId)]
    const comesTwice = groupInstanceId === null && (traits?.joinVersion ?? 0) >= 4
    if (!comesTwice || this.#handedOut.has(memberId)) return
    this.#blame('I7', `${memberId} is a member, and no client has been told that it is that`)
  }

  #checkGone(
    { memberId, groupInstanceId }: DescribedMember,
    before: DescribedGroup | null,
    current: readonly DescribedMember[],
  ): void {
    const known = this.#known.get(memberId)
    const isReplaced =
      groupInstanceId !== null &&
      current.some((member) => member.groupInstanceId === groupInstanceId)
    if (this.#left.has(memberId) || isReplaced || known === undefined) return
    const nowMs = this.#nowMs()
    const silentMs = nowMs - known.contactMs
    const isAsked = before?.state === 'PreparingRebalance'
    const rebalanceMs = isAsked ? nowMs - this.#rebalanceBeganMs : 0
    // Static members need not rejoin to stay, but they must sync.
    const isLateToJoin = rebalanceMs >= known.rebalanceTimeoutMs && groupInstanceId === null
    const isLateToSync =
      !isAsked &&
      !this.#generations.hasSynced(memberId) &&
      this.#generations.ageMs >= (this.#leaderSyncTimeoutMs ?? known.rebalanceTimeoutMs)
    const isLate = silentMs >= known.sessionTimeoutMs || isLateToJoin || isLateToSync
    // Whoever waits for an answer is not silent.
    const isWaiting = (this.#waiting.get(memberId) ?? 0) > 0
    if (isLate && !isWaiting) return
    const seen = `heard of ${silentMs} ms ago, asked to rejoin ${rebalanceMs} ms ago`
    this.#blame('I7', `${memberId} was thrown out, ${seen}`)
  }
}

const has = (members: readonly DescribedMember[], { memberId }: DescribedMember): boolean =>
  members.some((member) => member.memberId === memberId)
