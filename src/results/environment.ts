import type { Environment } from './result.ts'

/** Where a run took place. */

/** `client` and `broker` are names with versions, such as `kafkajs 2.2.4`. */
export const readEnvironment = (_parts: { client: string; broker: string }): Environment => {
  throw new Error('not yet')
}
