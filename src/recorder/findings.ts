import { errorCode } from '../protocol/errors.ts'
import { type Exchange, type Finding, messageName } from './exchange.ts'
import type {
  GroupErrorAnswer,
  GroupRequest,
  JoinAnswer,
  JoinRequest,
  OffsetFetchAnswer,
  OffsetFetchRequest,
  SyncAnswer,
  SyncRequest,
  TopicAnswer,
  TopicQuestion,
} from './group-messages.ts'
import { GroupTrace } from './group-trace.ts'

/** What is suspicious in well-formed exchanges: answers that no Kafka gives and that leave members without records. */

/** Builds a finding of the level `suspicious` about one field of the answer. */
const suspicious = (exchange: Exchange, code: string, field: string, text: string): Finding => ({
  level: 'suspicious',
  code,
  message: messageName(exchange, 'response'),
  field,
  offset: null,
  text: `${field}: ${text}`,
})

const list = (numbers: readonly number[]): string =>
  numbers.length === 1 ? `partition ${numbers[0]}` : `partitions ${numbers.join(', ')}`

const missingPartitions = (
  exchange: Exchange,
  field: string,
  asked: readonly TopicQuestion[] | null,
  answered: readonly TopicAnswer[],
): Finding[] =>
  (asked ?? []).flatMap(({ name, topicId, partitionIndexes }) => {
    const found = answered.find((topic) =>
      topicId === undefined ? topic.name === name : topic.topicId === topicId,
    )
    const indexes = (found?.partitions ?? []).map(({ partitionIndex }) => partitionIndex)
    const missing = partitionIndexes.filter((index) => !indexes.includes(index))
    if (missing.length === 0) return []
    const at = found === undefined ? field : `${field}[${answered.indexOf(found)}].partitions`
    const text = `${list(missing)} of topic '${name ?? topicId}' asked for and not answered; a client takes them for unavailable`
    return [suspicious(exchange, 'offsets-missing', at, text)]
  })

const offsetFetchFindings = (exchange: Exchange): Finding[] => {
  const request = exchange.request as unknown as OffsetFetchRequest
  const response = exchange.response as unknown as OffsetFetchAnswer
  if (exchange.version < 8) {
    if ((response.errorCode ?? 0) !== 0) return []
    return missingPartitions(exchange, 'topics', request.topics ?? null, response.topics ?? [])
  }
  const answered = response.groups ?? []
  return (request.groups ?? []).flatMap(({ groupId, topics }) => {
    const index = answered.findIndex((group) => group.groupId === groupId)
    const group = answered[index]
    if (group === undefined) {
      const text = `group '${groupId}' asked for and not answered`
      return [suspicious(exchange, 'offsets-missing', 'groups', text)]
    }
    if (group.errorCode !== 0) return []
    return missingPartitions(exchange, `groups[${index}].topics`, topics, group.topics)
  })
}

const joinFindings = (exchange: Exchange, group: GroupTrace, nowUs: number): Finding[] => {
  const request = exchange.request as unknown as JoinRequest
  const response = exchange.response as unknown as JoinAnswer
  const found: Finding[] = []
  const isSuccess = response.errorCode === errorCode.NONE
  const mayName = isSuccess || response.errorCode === errorCode.MEMBER_ID_REQUIRED
  const isStatic = (request.groupInstanceId ?? null) !== null
  if (mayName && request.memberId !== '' && response.memberId !== request.memberId && !isStatic) {
    const text = `'${request.memberId}' is answered with another id, '${response.memberId}': the member it was waits in the group as a ghost`
    found.push(suspicious(exchange, 'member-id-changed', 'memberId', text))
  }
  if (!isSuccess) {
    group.onJoinRefused(request, response)
    return found
  }
  if (response.leader === response.memberId && response.members.length === 0) {
    const text = 'the member is made the leader and given no members, so it assigns nothing'
    found.push(suspicious(exchange, 'leader-without-members', 'members', text))
  }
  const skipped = isStatic ? [] : group.oldMembersNotBack(exchange, request, nowUs)
  if (skipped.length > 0) {
    const text = `a new member is let into generation ${response.generationId} before ${skipped.join(', ')} joined again`
    found.push(suspicious(exchange, 'joined-before-others', 'generationId', text))
  }
  const before = group.generationBefore(response)
  if (group.isWithoutCause(response, nowUs)) {
    const text = `${response.generationId} follows ${before} with the same members: none joined, left, timed out or changed its subscription`
    found.push(suspicious(exchange, 'generation-without-cause', 'generationId', text))
  }
  group.onJoined(request, response, nowUs)
  return found
}

const syncFindings = (exchange: Exchange, group: GroupTrace): Finding[] => {
  const request = exchange.request as unknown as SyncRequest
  const response = exchange.response as unknown as SyncAnswer
  if (response.errorCode !== errorCode.NONE) return []
  const found: Finding[] = []
  const given = group.assignmentGivenTo(request)
  if (response.assignment.sizeBytes === 0 && !group.isGivenNothing(request)) {
    const told =
      given === null ? '' : `; the leader gave this member ${given.sizeBytes} bytes of assignment`
    const text = `success with an empty assignment, so the member reads nothing${told}`
    found.push(suspicious(exchange, 'empty-assignment', 'assignment', text))
  } else if (given !== null && JSON.stringify(given) !== JSON.stringify(response.assignment)) {
    const text = 'not the assignment that the leader gave to this member'
    found.push(suspicious(exchange, 'assignment-differs', 'assignment', text))
  }
  if (group.isBeforeLeader(request)) {
    const text = `success for a follower in generation ${request.generationId} before the leader handed in the assignments`
    found.push(suspicious(exchange, 'sync-before-leader', 'errorCode', text))
  }
  return found
}

/**
 * Follows a recording as it happens: every request when it is sent, every answer when it comes, in that order.
 * Holds one small state per group and none per exchange.
 */
export class Observer {
  private readonly groups = new Map<string, GroupTrace>()

  private groupOf({ request }: Exchange): GroupTrace | null {
    const groupId = request['groupId']
    if (typeof groupId !== 'string') return null
    let group = this.groups.get(groupId)
    if (group === undefined) {
      group = new GroupTrace()
      this.groups.set(groupId, group)
    }
    return group
  }

  onRequest(exchange: Exchange): void {
    if (!isDecoded(exchange.request)) return
    const group = this.groupOf(exchange)
    if (group === null) return
    const atUs = exchange.requestedAtUs
    const request = exchange.request as unknown as GroupRequest
    if (exchange.api === 'JoinGroup') group.onJoinRequest(exchange.request as never, atUs)
    else if (exchange.api === 'LeaveGroup') group.onLeaveRequest(exchange.request)
    else if (typeof request.memberId === 'string') group.onSign(request.memberId, atUs)
    if (exchange.api === 'SyncGroup') group.onSyncRequest(exchange.request as never)
  }

  onAnswer(exchange: Exchange): Finding[] {
    const { response, answeredAtUs } = exchange
    if (response === null || !isDecoded(response) || !isDecoded(exchange.request)) return []
    if (exchange.api === 'OffsetFetch') return offsetFetchFindings(exchange)
    const group = this.groupOf(exchange)
    if (group === null) return []
    if (exchange.api === 'JoinGroup') return joinFindings(exchange, group, answeredAtUs ?? 0)
    const request = exchange.request as unknown as GroupRequest
    const answer = response as unknown as GroupErrorAnswer
    if (exchange.api === 'SyncGroup') group.onSyncAnswer(request.memberId ?? '', answeredAtUs ?? 0)
    group.onErrorCode(request.memberId ?? '', answer.errorCode ?? 0)
    return exchange.api === 'SyncGroup' ? syncFindings(exchange, group) : []
  }
}

const isDecoded = (message: object): boolean => !('opaque' in message)

/** Findings of exchanges that are over, each at its index; `exchanges` in any order. */
export const findingsOf = (exchanges: readonly Exchange[]): Finding[][] => {
  const observer = new Observer()
  const found: Finding[][] = exchanges.map(() => [])
  const events = exchanges.flatMap((exchange, index) => [
    { atUs: exchange.requestedAtUs, isRequest: true, exchange, index },
    ...(exchange.answeredAtUs === null
      ? []
      : [{ atUs: exchange.answeredAtUs, isRequest: false, exchange, index }]),
  ])
  for (const { isRequest, exchange, index } of events.toSorted((a, b) => a.atUs - b.atUs)) {
    if (isRequest) observer.onRequest(exchange)
    else found[index] = observer.onAnswer(exchange)
  }
  return found
}
