import type { Defect } from './defect.ts'

const joinPhaseMs = 100

/** Members learn of a rebalance by their next heartbeat, seconds later: most of them are thrown out each time. */
export const joinTimed100ms: Defect = {
  name: 'join-timed-100ms',
  summary: `ends every join phase after ${joinPhaseMs} ms, whoever has rejoined by then`,
  source:
    'Chronik 2.5: a timer in the place of the members’ rebalance timeout; librdkafka’s mock broker alike',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      isJoinComplete: () => false,
      joinTimeoutMs: () => joinPhaseMs,
    },
  }),
}
