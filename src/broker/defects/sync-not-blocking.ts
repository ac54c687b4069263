import type { Defect } from './defect.ts'

/** A follower that syncs before its leader is told that it has nothing, and is not told again. */
export const syncNotBlocking: Defect = {
  name: 'sync-not-blocking',
  summary: "answers a follower's SyncGroup without waiting for the leader's assignment",
  source: 'Chronik 2.5, second bug of the staggered consumers',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      onSyncWhileCompleting(roster, member) {
        const decision = parts.groupRules.onSyncWhileCompleting(roster, member)
        return decision === 'park' ? 'answer' : decision
      },
    },
  }),
}
