/** Checks of the group: shares, generations, ids, answers. Pure functions of the evidence. */
import type { Check } from '../results/result.ts'
import type { CheckName } from './check-names.ts'
import { type Evidence, type EvidenceSoFar, type Life, livesAt, ownedBy } from './evidence.ts'
import { memberOf } from './faults.ts'
import { fairShare } from './settle.ts'

export type NamedCheck = Check & { name: CheckName }

/** `faults` are the reasons why it does not hold; `expected` says what holds when there are none. */
export const checkOf = (
  name: CheckName,
  expected: string | number,
  faults: readonly string[],
): NamedCheck => ({
  name,
  ok: faults.length === 0,
  expected,
  actual: faults.length === 0 ? expected : listed(faults),
})

const maxListed = 5

/** The first few, and how many more there are. */
const listed = (texts: readonly string[]): string => {
  const shown = texts.slice(0, maxListed).join('; ')
  return texts.length > maxListed ? `${shown}; ${texts.length - maxListed} more` : shown
}

const partitionText = (partitions: readonly number[]): string =>
  partitions.length === 0 ? 'nothing' : partitions.join(', ')

const liveAtEnd = ({ lives, snapshot }: Evidence): Life[] =>
  lives.filter(
    ({ startedAtMs, endedAtMs, isPaused }) =>
      startedAtMs <= snapshot.atMs &&
      (endedAtMs === null || endedAtMs > snapshot.atMs) &&
      !isPaused,
  )

/** What the wire says a member was last told to own, before the members were stopped; null when nothing was seen. */
const toldOnWire = (evidence: Evidence, life: Life): readonly number[] | null => {
  const untilUs = (evidence.snapshot.atMs - evidence.recordingStartMs) * 1e3
  const syncs = evidence.facts.filter(
    (fact) =>
      fact.kind === 'sync' &&
      fact.clientId === life.clientId &&
      fact.owned !== null &&
      (fact.answeredAtUs ?? fact.requestedAtUs) <= untilUs,
  )
  const last = syncs.at(-1)
  if (last?.kind !== 'sync') return null
  return (last.owned ?? [])
    .filter(({ topic }) => topic === evidence.topic)
    .flatMap(({ partitions }) => partitions)
}

const timelineKept = ({ steps }: EvidenceSoFar): NamedCheck =>
  checkOf(
    'timeline-kept',
    `${steps.length} steps`,
    steps.flatMap(({ problem }, index) =>
      problem === null ? [] : [`step ${index + 1}: ${problem}`],
    ),
  )

const groupSettles = ({ snapshot }: Evidence): NamedCheck =>
  checkOf('group-settles', 'settled', snapshot.unsettled === null ? [] : [snapshot.unsettled])

const fairShares = (evidence: Evidence): NamedCheck => {
  const { after, snapshot } = evidence
  const live = liveAtEnd(evidence)
  const share = fairShare(after.length, live.length)
  const faults = live.flatMap((life) => {
    const owned = ownedBy(life, snapshot.atMs) ?? []
    if (owned.length < share) return [`${life.clientId} owns ${partitionText(owned)}`]
    const told = toldOnWire(evidence, life)
    if (told === null || told.length >= share) return []
    return [`${life.clientId} was told on the wire to own ${partitionText(told)}`]
  })
  const what = `at least ${share} of ${after.length} partitions for each of ${live.length} members`
  return checkOf('fair-share', what, faults)
}

const complete = (evidence: Evidence): NamedCheck => {
  const { after, snapshot } = evidence
  const live = liveAtEnd(evidence)
  const owned = new Set(live.flatMap((life) => ownedBy(life, snapshot.atMs) ?? []))
  const orphans = after.map(({ partition }) => partition).filter((one) => !owned.has(one))
  const faults =
    live.length === 0 ? [] : orphans.map((partition) => `nobody owns partition ${partition}`)
  return checkOf('complete', `${after.length} partitions owned`, faults)
}

/** Owners in one generation, by the members' own account and by the answers to SyncGroup; all lives of a member are one. */
const disjoint = ({ lives, generations, topic, facts }: EvidenceSoFar): NamedCheck => {
  const members = new Map(facts.map((fact) => [fact.memberId, memberOf(fact.clientId ?? '')]))
  const faults = new Set<string>()
  const owners = new Map<string, string>()
  const claim = (source: string, generation: number, partition: number, who: string): void => {
    const key = `${source} ${generation} ${partition}`
    const other = owners.get(key)
    if (other !== undefined && other !== who) {
      faults.add(`generation ${generation}: ${other} and ${who} both own partition ${partition}`)
    }
    owners.set(key, who)
  }
  for (const { events, member } of lives) {
    for (const event of events) {
      if (event.type !== 'assigned' || event.generation < 0) continue
      for (const one of event.partitions) claim('member', event.generation, one, member)
    }
  }
  for (const { generationId, owned } of generations) {
    for (const [memberId, topics] of owned) {
      const own = (topics ?? []).filter((one) => one.topic === topic)
      for (const one of own.flatMap(({ partitions }) => partitions)) {
        claim('wire', generationId, one, members.get(memberId) ?? memberId)
      }
    }
  }
  return checkOf('disjoint', 'one owner per partition and generation', [...faults])
}

/** A member that nothing is left for is idle by right, and one that is ended before its time ran out is not judged. */
const firstAssignment = (evidence: Evidence): NamedCheck => {
  const { lives, scenario, snapshot, after } = evidence
  const withinMs = scenario.checks.within
  const faults = lives.flatMap((life) => {
    const { events, startedAtMs, endedAtMs, clientId } = life
    const first = events.find((event) => event.type === 'assigned' && event.partitions.length > 0)
    const atMs = first?.type === 'assigned' ? first.atMs : null
    if (atMs !== null && atMs - startedAtMs <= withinMs) return []
    if (atMs !== null) return [`${clientId} after ${Math.round(atMs - startedAtMs)} ms`]
    const lifeMs = Math.min(endedAtMs ?? snapshot.atMs, snapshot.atMs) - startedAtMs
    const isCrowded = livesAt(lives, startedAtMs).length > after.length
    return lifeMs < withinMs && endedAtMs !== null && endedAtMs < snapshot.atMs
      ? []
      : isCrowded
        ? []
        : [`${clientId} never`]
  })
  return checkOf('first-assignment', `within ${withinMs} ms of its start`, faults)
}

const eventWeights = {
  start: 1,
  stop: 1,
  crash: 1,
  restart: 2,
  pause: 1,
  resume: 1,
  commit: 0,
  produce: 0,
}

/** Members that came, left or fell silent. A static one that comes back takes its own place: no event (KIP-345). */
const membershipEvents = ({ steps, lives, scenario }: Evidence): number => {
  const isStatic = (member: string): boolean => scenario.members[member]?.instanceId != null
  const ofStatic = new Set(steps.flatMap(({ members }) => members.filter(isStatic))).size
  const ofOthers = steps.reduce((sum, { action, members }) => {
    const count = members.filter((member) => !isStatic(member)).length
    return sum + (action === null ? 0 : eventWeights[action] * count)
  }, 0)
  return ofStatic + ofOthers + lives.filter(({ end }) => end === 'gave-up').length
}

const generationsBounded = (evidence: Evidence): NamedCheck => {
  const { scenario, snapshot, recordingStartMs, generations } = evidence
  const untilUs = (snapshot.atMs - recordingStartMs) * 1e3
  const ids = generations
    .filter(({ beganAtUs }) => beganAtUs <= untilUs)
    .map((one) => one.generationId)
  const count = ids.length === 0 ? 0 : Math.max(...ids) - Math.min(...ids) + 1
  const isCooperative = [
    scenario.group.assignor,
    ...Object.values(scenario.members).map(({ assignor }) => assignor),
  ].includes('cooperative-sticky')
  // Cooperative members give up in one generation what others are given in the next (KIP-429).
  const perEvent = isCooperative ? 2 : 1
  const { generations: exact, extraGenerations } = scenario.checks
  const limit = exact ?? perEvent * membershipEvents(evidence) + 1 + extraGenerations
  return {
    name: 'generations-bounded',
    ok: exact === null ? count <= limit : count === limit,
    expected: exact ?? `<= ${limit}`,
    actual: count,
  }
}

/** A static member gets a new id with each life, and takes its old one's place (KIP-345). */
const memberIdsDistinct = (evidence: EvidenceSoFar): NamedCheck => {
  const { facts, lives, scenario } = evidence
  const users = new Map<string, Set<string>>()
  const ids = new Map<string, Set<string>>()
  for (const fact of facts) {
    if (fact.kind !== 'join' || fact.generationId === null) continue
    const { memberId, clientId } = fact
    users.set(memberId, (users.get(memberId) ?? new Set()).add(clientId ?? ''))
    ids.set(clientId ?? '', (ids.get(clientId ?? '') ?? new Set()).add(memberId))
  }
  const shared = [...users].flatMap(([memberId, clients]) =>
    clients.size > 1 ? [`${[...clients].join(' and ')} are both ${memberId}`] : [],
  )
  const several = lives.flatMap(({ clientId, member }) => {
    const count = ids.get(clientId)?.size ?? 0
    // Whoever was away for longer than its session comes back as another.
    const isInterrupted = evidence.steps.some(
      ({ action, members }) => action === 'pause' && members.includes(member),
    )
    const isUnheard = scenario.members[member]?.script?.neverHeartbeats === true
    // Whoever does not sync is removed, unless the broker assigns in its place.
    const isLate =
      (scenario.members[member]?.script?.neverSyncFromGeneration ?? null) !== null &&
      scenario.broker['leader.sync.fallback'] !== 'assign'
    return count > 1 && !isInterrupted && !isUnheard && !isLate
      ? [`${clientId} joined under ${count} ids`]
      : []
  })
  return checkOf('member-ids-distinct', 'one id for each member', [...shared, ...several])
}

/** Only who was cut off in the middle of a join may be counted without ever having been answered. */
const noGhosts = ({ facts, steps, lives, faults }: Evidence): NamedCheck => {
  const joins = facts.filter((fact) => fact.kind === 'join')
  const answered = new Set(
    joins.flatMap((one) => (one.generationId === null ? [] : [one.memberId])),
  )
  const counted = new Set(joins.flatMap(({ roster }) => roster))
  const ghosts = [...counted].filter((memberId) => !answered.has(memberId))
  const cutOff = steps.filter(({ action }) => action === 'crash' || action === 'pause')
  const mayBe =
    cutOff.reduce((sum, { members }) => sum + members.length, 0) +
    faults.length +
    lives.filter(({ end }) => end === 'gave-up').length
  return checkOf('no-ghosts', 'members that were let in', ghosts.length > mayBe ? ghosts : [])
}

const describedMembers = (evidence: Evidence): NamedCheck => {
  const { described } = evidence.snapshot
  const live = liveAtEnd(evidence)
  const ids = new Set(described ?? [])
  const faults: string[] = []
  if (described === null) faults.push('DescribeGroups was not answered')
  else if (ids.size !== live.length || described.length !== live.length) {
    faults.push(`${described.length} members described, ${live.length} live: ${listed([...ids])}`)
  }
  return checkOf('described-members', live.length, faults)
}

/** A generation has begun when its first join was answered; from then on ILLEGAL_GENERATION is due for those before. */
const heartbeatsCurrent = ({ facts, generations }: EvidenceSoFar): NamedCheck => {
  const faults = new Set<string>()
  for (const fact of facts) {
    if (fact.kind !== 'heartbeat' || fact.errorCode !== 0) continue
    const later = generations.find(
      ({ generationId, beganAtUs }) =>
        generationId > fact.generationId && beganAtUs < fact.requestedAtUs,
    )
    if (later === undefined) continue
    faults.add(
      `${fact.clientId} beats for generation ${fact.generationId} in generation ${later.generationId}, without an error`,
    )
  }
  return checkOf('heartbeats-current', 'only the current generation', [...faults])
}

const syncFindings = new Set(['sync-before-leader', 'empty-assignment', 'assignment-differs'])

const findingChecks = ({ exchanges }: EvidenceSoFar): NamedCheck[] => {
  const told = exchanges.flatMap(({ findings, clientId }) =>
    findings
      .filter(({ level }) => level !== 'note')
      .map(({ code, message, text }) => ({ code, text: `${clientId}: ${message}: ${text}` })),
  )
  const [ofSync, others] = [true, false].map((isSync) =>
    told.filter(({ code }) => syncFindings.has(code) === isSync).map(({ text }) => text),
  )
  return [
    checkOf('sync-after-leader', 'each its own assignment, from the leader', ofSync ?? []),
    checkOf('answers-sound', 'as Kafka would answer', others ?? []),
  ]
}

const membersHealthy = ({ lives }: EvidenceSoFar): NamedCheck =>
  checkOf(
    'members-healthy',
    'no member gave up',
    lives.flatMap(({ clientId, problem }) => (problem === null ? [] : [`${clientId}: ${problem}`])),
  )

export const groupChecks = (evidence: Evidence): NamedCheck[] => [
  timelineKept(evidence),
  groupSettles(evidence),
  fairShares(evidence),
  complete(evidence),
  disjoint(evidence),
  firstAssignment(evidence),
  generationsBounded(evidence),
  memberIdsDistinct(evidence),
  noGhosts(evidence),
  describedMembers(evidence),
  heartbeatsCurrent(evidence),
  ...findingChecks(evidence),
  membersHealthy(evidence),
]

/** Those that stay failed once they have, whatever comes after: they can be asked while the story goes on. */
export const lastingChecks = (evidence: EvidenceSoFar): NamedCheck[] =>
  [
    timelineKept(evidence),
    disjoint(evidence),
    memberIdsDistinct(evidence),
    heartbeatsCurrent(evidence),
    ...findingChecks(evidence),
    membersHealthy(evidence),
  ].filter(({ name }) => !evidence.scenario.checks.skip.includes(name))
