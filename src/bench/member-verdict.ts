/** Was every member served? The rule "a member that gets nothing", without any waiting or asking. */
import type { Check, Warning } from '../results/result.ts'
import type { Member } from './member.ts'
import { sumOf } from './run-context.ts'

export interface GroupAtEnd {
  partitionCount: number
  /** Members of the group at its largest, those of other commands included. */
  memberCount: number
  /** Records not yet read, by partition. */
  lag: ReadonlyMap<number, number>
}

/** A cooperative newcomer is without partitions until the others have given some up; nobody else is, where there are enough. */
const idleLimitNs = 5e9

/** Null: nothing to find fault with. */
const faultOf = (member: Member, group: GroupAtEnd): string | null => {
  const lagAtEnd = sumOf(group.lag.values(), (lag) => lag)
  if (member.crash !== null) return `${member.name} gave up: ${member.crash}`
  if (member.firstAssignmentNs === null) {
    if (group.memberCount > group.partitionCount) return null
    if (lagAtEnd > 0) return `${member.name} was never assigned a partition, lag ${lagAtEnd}`
    if (!member.lagAtStart) return null
    return `${member.name} was never assigned a partition, lag ${member.lagAtStart} when it joined`
  }
  const isOutnumbered = group.memberCount > group.partitionCount
  const hadWork = member.lagAtStart !== 0 || member.records > 0
  if (member.longestIdleNs > idleLimitNs && hadWork && !isOutnumbered) {
    const idleSec = (member.longestIdleNs / 1e9).toFixed(1)
    return `${member.name} had no partition for ${idleSec} s in a settled generation, while ${group.memberCount} members shared ${group.partitionCount} partitions`
  }
  const ownLag = sumOf(member.held, (partition) => group.lag.get(partition) ?? 0)
  if (member.records > 0 || ownLag === 0) return null
  return `${member.name} received nothing from ${[...member.held].join(', ')}, lag ${ownLag}`
}

const noteOf = (member: Member, group: GroupAtEnd): Warning | null => {
  if (member.records > 0) return null
  const isIdle = member.firstAssignmentNs === null
  const text = isIdle
    ? `${member.name} was never assigned a partition`
    : `${member.name} received nothing`
  if (isIdle && group.memberCount > group.partitionCount) {
    return {
      code: 'member-idle',
      text: `${text}: ${group.memberCount} members share ${group.partitionCount} partitions`,
      advice: 'Use at least as many partitions as members (--partitions).',
    }
  }
  return {
    code: 'member-without-records',
    text: `${text}: nothing was left to read in what it held`,
    advice: 'Let it join while there is lag: a shorter --stagger or more records.',
  }
}

/** One check over all members that names those left out, and a note for each that rightly got nothing. */
export const judgeMembers = (
  members: readonly Member[],
  group: GroupAtEnd,
): { check: Check; notes: Warning[] } => {
  const started = members.filter((member) => member.startedAtNs !== null)
  const faults: string[] = []
  const notes: Warning[] = []
  for (const member of started) {
    const fault = faultOf(member, group)
    const note = noteOf(member, group)
    if (fault !== null) faults.push(fault)
    else if (note !== null) notes.push(note)
  }
  const check: Check = {
    name: 'every-member-served',
    ok: faults.length === 0,
    expected: started.length,
    actual: faults.length === 0 ? started.length : faults.join('; '),
  }
  return { check, notes }
}
