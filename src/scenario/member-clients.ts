/** Which clients a scenario's member may be, and the command that starts a member of each. */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadDriver } from '../clients/index.ts'
import { messageOf } from '../errors.ts'
import type { MemberCommandLine } from './member-process.ts'

const driverClients = ['kafkajs', 'platformatic', 'librdkafka', 'wire'] as const
const pythonClients = ['kafka-python', 'kafka-python-2', 'librdkafka-python'] as const

/** `scripted` is bench's own member with switches for what goes wrong in the field; see `MemberScript`. */
export const memberClients = [...driverClients, 'scripted', ...pythonClients, 'java'] as const

export type MemberClient = (typeof memberClients)[number]

const here = fileURLToPath(new URL('.', import.meta.url))

/** The folder of the package: this file lies deeper once built. */
const root = [path.join(here, '..', '..'), path.join(here, '..', '..', '..')].find((folder) =>
  existsSync(path.join(folder, 'adapters')),
)

const programs = path.join(root ?? here, 'adapters')

/** Where adapters/install.mjs installs: one folder per client. BENCH_ADAPTERS names another place. */
const installFolder = (client: string): string =>
  path.join(process.env['BENCH_ADAPTERS'] || path.join(root ?? here, '.cache', 'adapters'), client)

const memberMain = path.join(here, 'member-main.js')

const notInstalled = (client: string, folder: string): MemberCommandLine => ({
  command: null,
  reason: `client ${client}: not installed in ${folder}; node ${path.join(programs, 'install.mjs')} ${client} does it`,
})

const pythonCommand = (client: string): MemberCommandLine => {
  const folder = installFolder(client)
  const python = path.join(folder, 'bin', 'python')
  if (!existsSync(python)) return notInstalled(client, folder)
  const program = client.startsWith('kafka-python') ? 'kafka_python.py' : 'librdkafka_python.py'
  return { command: [python, path.join(programs, 'python', program)], reason: null }
}

const javaCommand = (): MemberCommandLine => {
  const folder = installFolder('java')
  const jars = path.join(folder, 'jars')
  if (!existsSync(path.join(folder, 'Member.class')) || !existsSync(jars)) {
    return notInstalled('java', folder)
  }
  const classPath = [folder, ...readdirSync(jars).map((name) => path.join(jars, name))]
  // A short life on few cores: the second compiler would cost more than it gives.
  const flags = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']
  return {
    command: ['java', ...flags, '-cp', classPath.join(path.delimiter), 'Member'],
    reason: null,
  }
}

const driverCommand = async (client: string): Promise<MemberCommandLine> => {
  try {
    await loadDriver(client)
  } catch (error) {
    return { command: null, reason: messageOf(error) }
  }
  return { command: [process.execPath, memberMain, client], reason: null }
}

/** Looks for what a member of `client` needs; asks no network. `reason` fits after "skipped: ". */
export const findMemberCommand = (client: MemberClient): Promise<MemberCommandLine> => {
  if (client === 'scripted') {
    return Promise.resolve({ command: [process.execPath, memberMain, client], reason: null })
  }
  if (driverClients.some((name) => name === client)) return driverCommand(client)
  return Promise.resolve(client === 'java' ? javaCommand() : pythonCommand(client))
}
