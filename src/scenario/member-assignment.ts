/** How a scripted member that is leader shares out the partitions of the topic. */
import type { Assignor } from '../clients/driver.ts'

export interface Subscriber {
  readonly memberId: string
  /** What it says it owns; only a cooperative assignor asks. */
  readonly owned: readonly number[]
}

/** Kafka's names on the wire. */
export const protocolNames: Readonly<Record<Assignor, string>> = {
  range: 'range',
  'round-robin': 'roundrobin',
  'cooperative-sticky': 'cooperative-sticky',
}

/**
 * Partitions by member id; everyone is in the answer. The first ones by id get one more where it does not come out even.
 * Cooperative: what a member gives up goes to nobody in this generation, since it reads it until it hears of it
 * (KIP-429); the rebalance after it gives it away.
 */
export const shareOut = (
  assignor: Assignor,
  subscribers: readonly Subscriber[],
  partitions: readonly number[],
): Map<string, number[]> => {
  const members = subscribers.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const all = partitions.toSorted((a, b) => a - b)
  if (assignor === 'cooperative-sticky') return shareSticky(members, all)
  const share = Math.floor(all.length / members.length)
  const longer = all.length % members.length
  return new Map(
    members.map(({ memberId }, index) => {
      if (assignor === 'round-robin') {
        return [memberId, all.filter((_, at) => at % members.length === index)]
      }
      const from = index * share + Math.min(index, longer)
      return [memberId, all.slice(from, from + share + (index < longer ? 1 : 0))]
    }),
  )
}

const shareSticky = (
  members: readonly Subscriber[],
  all: readonly number[],
): Map<string, number[]> => {
  const shares = sharesOf(members, all.length)
  const shared = new Map<string, number[]>()
  const taken = new Set<number>()
  for (const { memberId, owned } of members) {
    const own = owned.filter((partition) => all.includes(partition) && !taken.has(partition))
    const kept = own.slice(0, shares.get(memberId))
    for (const partition of kept) taken.add(partition)
    shared.set(memberId, kept)
  }
  const held = new Set(members.flatMap(({ owned }) => owned))
  const free = all.filter((partition) => !held.has(partition))
  for (const [memberId, own] of shared) {
    own.push(...free.splice(0, (shares.get(memberId) ?? 0) - own.length))
    own.sort((a, b) => a - b)
  }
  return shared
}

/** Who owns most now gets the longer shares, so that the fewest partitions move. */
const sharesOf = (members: readonly Subscriber[], count: number): Map<string, number> => {
  const byOwned = members.toSorted((a, b) => b.owned.length - a.owned.length)
  const share = Math.floor(count / members.length)
  const longer = count % members.length
  return new Map(byOwned.map(({ memberId }, at) => [memberId, share + (at < longer ? 1 : 0)]))
}
