import type { Defect } from './defect.ts'

const forEverMs = 2 ** 31 - 1

/** The partitions of a member that has crashed are read by nobody. */
export const noExpire: Defect = {
  name: 'no-expire',
  summary: 'never expires a member that has gone silent',
  source: 'session.timeout.ms of Kafka’s ClassicGroup',
  apply: (parts) => ({
    ...parts,
    groupRules: { ...parts.groupRules, sessionTimeoutMs: () => forEverMs },
  }),
}
