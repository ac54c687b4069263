import { Command } from 'commander'
import { defectNames } from '../broker/defects/index.ts'
import { profileNames } from '../broker/profiles.ts'
import { type BrokerFlags, brokerDefaults, runBroker } from './broker-run.ts'

/** The options of `bench broker`. */

/** Throws `BenchError`s. */
export const brokerCommand = (): Command =>
  new Command('broker')
    .description('the embedded broker in the foreground, on 127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', brokerDefaults.port)
    .option(
      '--brokers <n>',
      'how many nodes, on the ports from that one on',
      brokerDefaults.brokers,
    )
    .option('--data-dir <dir>', 'folder for its data, or memory, or ring', brokerDefaults.dataDir)
    .option(
      '-X, --set <name=value>',
      "a broker setting by Kafka's name (repeatable)",
      (pair: string, pairs: string[]) => [...pairs, pair],
      [],
    )
    .option(
      '--profile <name>',
      `serve no later versions than that Kafka did: ${profileNames.join(', ')}`,
      brokerDefaults.profile,
    )
    .option(
      '--defect <name>',
      `a bug for it to have, or several by commas: ${defectNames.join(', ')}`,
    )
    .action((flags: BrokerFlags) => runBroker(flags))
