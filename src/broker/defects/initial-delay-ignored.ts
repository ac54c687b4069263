import type { Defect } from './defect.ts'

/** A deployment of many begins with as many generations. */
export const initialDelayIgnored: Defect = {
  name: 'initial-delay-ignored',
  summary: 'begins the first generation with its first member, whatever delay is set',
  source:
    'group.initial.rebalance.delay.ms of Apache Kafka (KIP-134); Chronik’s CHRONIK_CONSUMER_GROUP_JOIN_TIMEOUT_MS',
  apply: (parts) => ({
    ...parts,
    groupRules: {
      ...parts.groupRules,
      initialDelayMs: () => 0,
    },
  }),
}
