/** What must hold of a group coordinator, by number. */
export const invariants = {
  I1: 'no partition has two owners in one generation',
  I2: 'a group at rest is whole: one generation, every live member in it, every partition owned, fair shares',
  I3: 'a generation has one leader, which alone is given the members: those that are in it, with what they said last',
  I4: "a sync is answered after the leader's, and with what the leader said",
  I5: 'generations follow one another without gaps, each for a reason, and not more of them than members come and go',
  I6: 'every request is answered once, within its deadline, and a join as soon as all have joined',
  I7: 'the members are the live clients: no ghosts, and nobody is thrown out too early',
  I8: 'heartbeats, syncs and commits are accepted of members of the current generation only',
  I9: 'committed offsets stay, and every partition that is asked for is answered',
  I10: 'a static member that comes back in time disturbs nobody',
} as const

export type InvariantName = keyof typeof invariants

export interface Violation {
  readonly invariant: InvariantName
  readonly text: string
  readonly atMs: number
}
