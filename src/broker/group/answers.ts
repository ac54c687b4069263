import { errorCode } from '../../protocol/errors.ts'
import { type Member, noAssignment } from './member.ts'
import type { JoinAnswer, SyncAnswer } from './requests.ts'
import type { Roster } from './roster.ts'
import type { GroupRules } from './rules.ts'

/** What joins and syncs are answered, and how what is parked gets its answer. */

export const refusedJoin = (code: number, memberId: string): JoinAnswer => ({
  errorCode: code,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  isAssignmentSkipped: false,
  memberId,
  members: [],
})

export const refusedSync = (code: number): SyncAnswer => ({
  errorCode: code,
  protocolType: null,
  protocolName: null,
  assignment: noAssignment,
})

/** The current generation, with all members if the rules give them to this one. */
export const joinAnswer = (roster: Roster, rules: GroupRules, member: Member): JoinAnswer => {
  const { protocolType, protocolName } = roster
  const listed = rules.isGivenMembers(roster, member) ? [...roster.members.values()] : []
  return {
    errorCode: errorCode.NONE,
    generationId: roster.generationId,
    protocolType,
    protocolName,
    leader: roster.leaderId ?? '',
    isAssignmentSkipped: false,
    memberId: member.memberId,
    members: listed.map((each) => ({
      memberId: each.memberId,
      groupInstanceId: each.groupInstanceId,
      metadata: each.metadataOf(protocolName ?? ''),
    })),
  }
}

export const syncAnswer = (roster: Roster, member: Member): SyncAnswer => ({
  errorCode: errorCode.NONE,
  protocolType: roster.protocolType,
  protocolName: roster.protocolName,
  assignment: member.assignment,
})

export const answerJoin = (member: Member, answer: JoinAnswer): void => {
  member.parkedJoin?.answer(answer)
  member.parkedJoin = null
}

/** Answers whether a sync was parked. */
export const answerSync = (member: Member, answer: SyncAnswer): boolean => {
  const { parkedSync } = member
  member.parkedSync = null
  parkedSync?.answer(answer)
  return parkedSync !== null
}

/** Takes a member out of the group; its timer stops, and what it has parked is answered with `code`. */
export const dismiss = (roster: Roster, member: Member, code: number): void => {
  answerJoin(member, refusedJoin(code, ''))
  answerSync(member, refusedSync(code))
  member.sessionTimer?.cancel()
  member.sessionTimer = null
  roster.remove(member)
}
