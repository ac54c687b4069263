import { type Command, Option } from 'commander'
import { memberClients } from '../scenario/member-clients.ts'

/** The flags that `bench scenario run` and `bench scenario matrix` share. */

export interface ScenarioTargetFlags {
  bootstrapServers?: string
  client: string
  atOnce: string
}

export const addBrokerAndClient = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '-b, --bootstrap-servers <list>',
        'HOST:PORT[,…] (default: an embedded broker in memory for each scenario)',
      ).env('KAFKA_BOOTSTRAP_SERVERS'),
    )
    .option('--client <name>', `of members: ${memberClients.join(', ')}`, 'kafkajs')
    .option('--at-once <n>', 'so many scenarios at a time', '6')
