import { Command, Option } from 'commander'
import type { Admin, ConnectionOptions } from '../clients/driver.ts'
import { openAdmin } from '../clients/kafkajs/admin.ts'
import type { Io } from './io.ts'
import { openTarget } from './target.ts'
import { parseBootstrapServers, parseDuration } from './values.ts'

/** `bench clean`: deletes what interrupted runs left on a broker. Only names that runs make themselves are touched. */

const freshName = /^bench-[0-9a-f]{12}(-|$)/

interface CleanFlags {
  bootstrapServers?: string
  dataDir: string
  connectTimeout: string
  dryRun?: boolean
}

const cleanBroker = async (admin: Admin, isDryRun: boolean, io: Io): Promise<void> => {
  const groups = (await admin.listGroups()).filter((name) => freshName.test(name)).toSorted()
  const topics = (await admin.listTopics()).filter((name) => freshName.test(name)).toSorted()
  const verb = isDryRun ? 'would delete' : 'deleted'
  for (const group of groups) {
    const members = await admin.groupMembers(group)
    if (members.length > 0) {
      io.stdout.write(`kept group ${group}: it has ${members.length} members\n`)
      continue
    }
    if (!isDryRun) await admin.deleteGroup(group)
    io.stdout.write(`${verb} group ${group}\n`)
  }
  for (const topic of topics) {
    if (!isDryRun) await admin.deleteTopic(topic)
    io.stdout.write(`${verb} topic ${topic}\n`)
  }
  if (groups.length + topics.length === 0) io.stdout.write('nothing left over\n')
}

export const cleanCommand = (io: Io): Command =>
  new Command('clean')
    .description('delete topics and groups that interrupted runs left on a broker')
    .addOption(
      new Option(
        '-b, --bootstrap-servers <list>',
        'HOST:PORT[,…] (default: the embedded broker)',
      ).env('KAFKA_BOOTSTRAP_SERVERS'),
    )
    .option('--data-dir <dir>', 'data of the embedded broker', '.bench')
    .option('--connect-timeout <time>', 'how long to try to reach the broker', '10s')
    .option('--dry-run', 'only say what would be deleted')
    .action(async (flags: CleanFlags) => {
      const connectTimeoutMs = parseDuration('connect-timeout', flags.connectTimeout, 1)
      const bootstrapServers =
        flags.bootstrapServers === undefined
          ? null
          : parseBootstrapServers('bootstrap-servers', flags.bootstrapServers)
      const target = await openTarget(
        {
          bootstrapServers,
          dataDir: flags.dataDir,
          brokerConfig: {},
          defect: null,
          connectTimeoutMs,
        },
        new AbortController().signal,
      )
      const connection: ConnectionOptions = {
        bootstrapServers: target.bootstrapServers,
        clientId: 'bench-clean',
        connectTimeoutMs,
        requestTimeoutMs: 30_000,
        security: { tls: null, sasl: null },
        properties: {},
      }
      try {
        const admin = await openAdmin(connection)
        try {
          await cleanBroker(admin, flags.dryRun ?? false, io)
        } finally {
          await admin.close()
        }
      } finally {
        await target.release()
      }
    })
