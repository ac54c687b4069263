import type { Defect } from './defect.ts'

/** What a client looks like that never sends its second SyncGroup: all wait, and no one brings the assignment. */
export const leaderSyncLost: Defect = {
  name: 'leader-sync-lost',
  summary: "takes the leader's SyncGroup for a follower's from the second generation on",
  source: 'Chronik and kafka-python: followers whose SyncGroup is never answered',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      onSyncWhileCompleting(roster, member) {
        return roster.generationId > 1
          ? 'park'
          : parts.groupRules.onSyncWhileCompleting(roster, member)
      },
    },
  }),
}
