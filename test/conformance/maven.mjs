// Jars that Maven resolves (pom.xml) with all that they need, copied into the cache.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { alone, cacheFolder, installed } from './cache.mjs'
import { runProcess } from './processes.mjs'

const pom = fileURLToPath(new URL('pom.xml', import.meta.url))

let last = Promise.resolve()

/** One Maven at a time: they share a local repository. */
const inTurn = (run) => {
  const turn = last.then(() => alone('maven', run))
  last = turn.catch(() => {})
  return turn
}

/** The folder with the jars of `group:artifact`; `logger` is the SLF4J binding that comes with them. */
export const jarsOf = (name, version, logger = 'slf4j-nop') => {
  const [group, artifact] = name.split(':')
  return installed(`${artifact}-${version}`, `${name} ${logger}`, (folder) =>
    inTurn(() =>
      runProcess('mvn', [
        ...['--batch-mode', '--quiet', '--file', pom],
        ...[`-Dgroup=${group}`, `-Dartifact=${artifact}`, `-Dwanted=${version}`],
        ...[`-Dlogger=${logger}`, `-Dmaven.repo.local=${path.join(cacheFolder, 'maven')}`],
        ...['dependency:copy-dependencies', `-DoutputDirectory=${folder}`],
      ]),
    ),
  )
}

/** The Apache Kafka that is the oracle. */
export const kafkaVersion = '4.3.0'

/** What a broker of Apache Kafka is started from. */
export const brokerJars = () => jarsOf('org.apache.kafka:kafka_2.13', kafkaVersion, 'slf4j-simple')

/** For every JVM of the run: small, and quick to start. */
export const jvmFlags = (heapMb) => [
  ...[`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
]
