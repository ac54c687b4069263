import type { Defect } from './defect.ts'

/** A leader that is late with its assignment is thrown out, and all begin anew. */
export const fallbackIgnored: Defect = {
  name: 'fallback-ignored',
  summary:
    'removes a leader that is late with its assignment although it was told to assign in its place',
  source: 'Chronik, 2025-11-03: server-side assignment after 5 s',
  actsWith: 'leader.sync.fallback',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      tuned: (tuning) => parts.groupRules.tuned({ ...tuning, assignForLeader: () => null }),
    },
  }),
}
