import type { Defect } from './defect.ts'

/** Who was first is the next generation alone; the others are thrown out of it, come back, and throw it out in turn. */
export const stableBeforeJoin: Defect = {
  name: 'stable-before-join',
  summary: 'begins the next generation with the first member that joins, not waiting for the rest',
  source: 'Chronik 2.4: JoinGroup answered at once; a cascade of rebalances',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      isJoinComplete: (roster) => roster.awaitingJoinCount > 0,
    },
  }),
}
