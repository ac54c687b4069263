import type { Defect } from './defect.ts'

/** Whoever takes a partition over begins where the group has not been yet, or at the very start again. */
export const commitLost: Defect = {
  name: 'commit-lost',
  summary: 'acknowledges OffsetCommit and keeps nothing',
  source: 'committed offsets that were gone after a restart of the group',
  apply: (parts) => ({
    ...parts,
    groupRules: { ...parts.groupRules, isCommitKept: () => false },
  }),
}
