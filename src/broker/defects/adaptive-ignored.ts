import type { Defect } from './defect.ts'

/** The last of many are late for the first generation. */
export const adaptiveIgnored: Defect = {
  name: 'adaptive-ignored',
  summary: 'prolongs the initial delay of a large group by no more than that of a small one',
  source: 'Chronik, future improvements: a longer wait for larger groups',
  actsWith: 'group.initial.rebalance.adaptive',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      tuned: (tuning) => parts.groupRules.tuned({ ...tuning, isDelayAdaptive: false }),
    },
  }),
}
