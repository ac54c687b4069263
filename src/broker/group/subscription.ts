import { decodeSubscription } from '../../protocol/consumer-protocol.ts'
import type { Roster } from './roster.ts'

/** Which topics the members of a consumer group read, as far as their subscriptions tell. */

export const consumerProtocolType = 'consumer'

/** Whether the group reads `topic`; a consumer group whose subscriptions cannot be told counts as reading every topic. */
export const isSubscribed = (roster: Roster, topic: string): boolean => {
  if (roster.protocolType !== consumerProtocolType) return false
  const { protocolName } = roster
  if (protocolName === null) return roster.members.size > 0
  try {
    return [...roster.members.values()].some((member) =>
      decodeSubscription(member.metadataOf(protocolName)).value.topics.includes(topic),
    )
  } catch {
    return true
  }
}
