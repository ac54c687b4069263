import type { DescribedGroup } from '../../src/broker/group/requests.ts'
import { partitionsIn } from './assignor.ts'
import type { AnswerOf, Exchange } from './exchange.ts'
import type { Schedule } from './schedule.ts'
import type { Blame } from './witness.ts'

/** Follows the generations of a group by the joins and syncs that are answered (I1, I3, I4, I5, I10). */

interface Generation {
  readonly id: number
  readonly beganMs: number
  readonly leader: string
  /** Of the generation before. */
  readonly formerLeader: string | null
  /** Members that the leader was given; null until it was. */
  listed: ReadonlySet<string> | null
  /** Members whose parked joins were answered with this generation, and that answered it again later. */
  readonly answered: Set<string>
  /** Members that have sent their sync. */
  readonly synced: Set<string>
  /** What the leader gave to each; null until it has synced. */
  given: ReadonlyMap<string, Buffer> | null
  readonly ownerOf: Map<number, string>
}

export class Generations {
  count = 0
  readonly #blame: Blame
  readonly #nowMs: () => number
  readonly #schedule: Schedule
  #current: Generation | null = null
  #emptiedCount = 0
  #isChecked = true
  /** What a member is called across its ids: static ones by their instance. */
  readonly #identities = new Map<string, string>()

  constructor(blame: Blame, nowMs: () => number, schedule: Schedule) {
    this.#blame = blame
    this.#nowMs = nowMs
    this.#schedule = schedule
  }

  /** A group that loses its last member counts on as well. */
  get currentId(): number {
    return (this.#current?.id ?? 0) + this.#emptiedCount
  }

  get ageMs(): number {
    return this.#current === null ? 0 : this.#nowMs() - this.#current.beganMs
  }

  /** Also of a static leader that has come back under another id. */
  isLeader(memberId: string): boolean {
    const leader = this.#current?.leader
    return leader !== undefined && this.#identity(leader) === this.#identity(memberId)
  }

  hasSynced(memberId: string): boolean {
    return this.#current?.synced.has(memberId) === true
  }

  forget(): void {
    this.#current = null
    this.#emptiedCount = 0
  }

  see(before: DescribedGroup | null, now: DescribedGroup | null): void {
    const wasEmpty = before === null || before.state === 'Empty'
    if (now?.state === 'Empty' && !wasEmpty) this.#emptiedCount++
    for (const { memberId, groupInstanceId } of now?.members ?? []) {
      if (groupInstanceId !== null) this.#identities.set(memberId, `instance ${groupInstanceId}`)
    }
  }

  onJoined(
    asked: Exchange<'JoinGroup'>,
    given: AnswerOf<'JoinGroup'>,
    isAtOnce: boolean,
    group: DescribedGroup | null,
  ): void {
    const { memberId, generationId, leader, members } = given
    const previous = this.#current
    if (generationId !== undefined && generationId !== previous?.id) {
      this.#begin(generationId, leader)
    }
    const current = this.#current
    if (current === null) return
    if (this.#identity(leader) !== this.#identity(current.leader)) {
      this.#blame('I3', `generation ${current.id} is led by ${current.leader} and by ${leader}`)
    }
    current.answered.add(memberId)
    this.#isChecked = false
    if (members.length > 0) this.#onListed(current, given, group)
    else if (memberId === leader) this.#blame('I3', `${leader} leads and was given no members`)
    this.#checkReturn(asked, given, isAtOnce, previous)
  }

  onSync({ request, before }: Exchange<'SyncGroup'>): void {
    const current = this.#current
    const { memberId, generationId, assignments } = request
    if (current === null || generationId !== this.currentId) return
    if (before?.state !== 'PreparingRebalance') current.synced.add(memberId)
    if (current.given !== null) return
    const isDue = before?.state === 'CompletingRebalance'
    if (!isDue || memberId !== current.leader) return
    current.given = new Map(
      assignments.map((each) => [this.#identity(each.memberId), each.assignment]),
    )
  }

  onSynced(
    { request, before }: Exchange<'SyncGroup'>,
    { assignment }: AnswerOf<'SyncGroup'>,
  ): void {
    const current = this.#current
    const { memberId, generationId } = request
    if (current === null || generationId !== this.currentId) return
    const identity = this.#identity(memberId)
    if (current.given === null) {
      if (this.#isLeftToCoordinator(current)) this.#own(current, identity, assignment)
      else {
        const state = before?.state ?? 'unknown'
        this.#blame('I4', `${memberId} was answered before its leader's sync (${state})`)
      }
      return
    }
    const said = current.given.get(identity) ?? Buffer.alloc(0)
    if (!said.equals(assignment)) {
      const parts = `${partitionsIn(said).join()} by its leader and ${partitionsIn(assignment).join()}`
      this.#blame('I4', `${memberId} was given ${parts} by the coordinator`)
    }
    this.#own(current, identity, assignment)
  }

  /** Those that the leader was given are those that are in the generation; asked once all its answers are out. */
  checkWhole(): void {
    if (this.#isChecked) return
    this.#isChecked = true
    const current = this.#current
    if (current === null) return
    const { id, listed, answered } = current
    if (listed === null) return this.#blame('I3', `no leader of generation ${id} was given members`)
    const known = new Set([...listed].map((memberId) => this.#identity(memberId)))
    for (const memberId of answered) {
      if (!known.has(this.#identity(memberId))) {
        this.#blame('I3', `${memberId} got generation ${id}, and its leader does not know`)
      }
    }
    for (const memberId of listed) {
      // A static member need not rejoin to stay.
      if (!this.#identities.has(memberId) && !answered.has(memberId)) {
        this.#blame(
          'I3',
          `the leader of generation ${id} was given ${memberId}, which was not in it`,
        )
      }
    }
  }

  #begin(id: number, leader: string): void {
    const expected = this.currentId + 1
    if (id !== expected) this.#blame('I5', `generation ${id} began, where ${expected} is next`)
    this.count++
    this.#emptiedCount = 0
    this.#current = {
      id,
      leader,
      formerLeader: this.#current?.leader ?? null,
      beganMs: this.#nowMs(),
      listed: null,
      answered: new Set(),
      synced: new Set(),
      given: null,
      ownerOf: new Map(),
    }
  }

  #onListed(
    current: Generation,
    { memberId, leader, members }: AnswerOf<'JoinGroup'>,
    group: DescribedGroup | null,
  ): void {
    if (memberId !== leader) {
      this.#blame('I3', `${memberId} was given the members, and ${leader} leads`)
    }
    const listed = new Set(members.map((each) => each.memberId))
    const described = group?.members ?? []
    const isSame =
      described.length === listed.size && described.every((each) => listed.has(each.memberId))
    if (!isSame) {
      const has = described.map((each) => each.memberId).join()
      this.#blame('I3', `the leader was given ${[...listed].join()}, and the group has ${has}`)
    }
    for (const { memberId: each, groupInstanceId } of members) {
      const member = described.find((one) => one.memberId === each)
      if (member !== undefined && member.groupInstanceId !== (groupInstanceId ?? null)) {
        this.#blame('I3', `the leader was told that ${each} is instance ${groupInstanceId}`)
      }
    }
    const { formerLeader } = current
    const isDynamic = formerLeader !== null && !this.#identities.has(formerLeader)
    if (isDynamic && formerLeader !== leader && listed.has(formerLeader)) {
      this.#blame('I3', `${formerLeader} has rejoined, and ${leader} leads in its place`)
    }
    current.listed ??= listed
  }

  /** A static member that comes back into a Stable group gets its place in the running generation at once. */
  #checkReturn(
    { request, before, call }: Exchange<'JoinGroup'>,
    { memberId, leader, skipAssignment = false }: AnswerOf<'JoinGroup'>,
    isAtOnce: boolean,
    previous: Generation | null,
  ): void {
    const { groupInstanceId } = request
    const isReturn =
      groupInstanceId !== null &&
      request.memberId === '' &&
      before?.state === 'Stable' &&
      before.members.some((member) => member.groupInstanceId === groupInstanceId)
    if (isReturn && !(isAtOnce && this.#current === previous)) {
      this.#blame('I10', `${memberId} came back into a Stable group, and it was rebalanced`)
    }
    // A returning leader keeps what it has assigned (KIP-814).
    if (skipAssignment !== (isReturn && call.version >= 9 && memberId === leader)) {
      this.#blame(
        'I10',
        `${memberId} was told ${skipAssignment ? '' : 'not '}to skip the assignment`,
      )
    }
  }

  #own(current: Generation, identity: string, assignment: Buffer): void {
    for (const partition of partitionsIn(assignment)) {
      const owner = current.ownerOf.get(partition)
      if (owner !== undefined && owner !== identity) {
        const both = `${owner} and by ${identity}`
        this.#blame('I1', `partition ${partition} is owned by ${both} in generation ${current.id}`)
      }
      current.ownerOf.set(partition, identity)
    }
  }

  /** Whether the coordinator shares out by itself, because the leader has let its time pass. */
  #isLeftToCoordinator({ beganMs }: Generation): boolean {
    const { settings } = this.#schedule
    return (
      settings['leader.sync.fallback'] === 'assign' &&
      this.#nowMs() - beganMs >= Number(settings['leader.sync.timeout.ms'])
    )
  }

  #identity(memberId: string): string {
    return this.#identities.get(memberId) ?? memberId
  }
}
