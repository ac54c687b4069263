import type { Defect } from './defect.ts'

/** The bug that staggered consumers find: whoever comes to a Stable group gets an empty share, and nobody makes room. */
export const stableJoinEarlyReturn: Defect = {
  name: 'stable-join-early-return',
  summary: 'answers a join into a Stable group at once, with the generation as it is',
  source: 'Chronik 2.4: consumers one second apart, of which only the first received records',
  apply: (parts) => ({
    ...parts,
    groupRules: { ...parts.groupRules, onJoinWhileStable: () => 'answer' },
  }),
}
