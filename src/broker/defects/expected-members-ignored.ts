import type { Defect } from './defect.ts'

/** Who knows how many will come waits for the whole delay all the same. */
export const expectedMembersIgnored: Defect = {
  name: 'expected-members-ignored',
  summary: 'waits for the whole initial delay although all expected members have come',
  source: 'Chronik, future improvements: complete as soon as all that are expected have joined',
  actsWith: 'group.initial.rebalance.expected.members',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      tuned: (tuning) => parts.groupRules.tuned({ ...tuning, expectedMembers: 0 }),
    },
  }),
}
