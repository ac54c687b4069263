/** Which clients a scenario's member may be, and the command that starts a member of each. */
import type { MemberCommandLine } from './member-process.ts'

export const memberClients = [
  'kafkajs',
  'platformatic',
  'librdkafka',
  'wire',
  'scripted',
  'kafka-python',
  'librdkafka-python',
  'java',
] as const

export type MemberClient = (typeof memberClients)[number]

/** Looks for what a member of `client` needs; asks no network. `reason` fits after "skipped: ". */
export const findMemberCommand = async (client: MemberClient): Promise<MemberCommandLine> =>
  Promise.resolve({ command: null, reason: `${client}: not there yet` })
