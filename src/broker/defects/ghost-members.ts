import type { Defect } from './defect.ts'

const forEverMs = 2 ** 31 - 1

/** A join whose answer was lost leaves a member behind that nobody is, and whose share nobody reads. */
export const ghostMembers: Defect = {
  name: 'ghost-members',
  summary:
    'makes a member of every JoinGroup without an id, and keeps it however long its join is parked',
  source: 'KIP-394, KAFKA-7610; 16 ghosts of one consumer in Chronik',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      isMemberIdRequired: () => false,
      newMemberTimeoutMs: () => forEverMs,
    },
  }),
}
