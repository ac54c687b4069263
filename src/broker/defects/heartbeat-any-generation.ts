import type { Defect } from './defect.ts'

/** A member that has missed a rebalance is told that all is well, and reads on what others own by now. */
export const heartbeatAnyGeneration: Defect = {
  name: 'heartbeat-any-generation',
  summary: 'accepts the heartbeat of a member from whatever generation',
  source: 'ILLEGAL_GENERATION of Kafka’s ClassicGroup.validateMember',
  apply: (parts) => ({
    ...parts,
    groupRules: { ...parts.groupRules, isHeartbeatCurrent: () => true },
  }),
}
