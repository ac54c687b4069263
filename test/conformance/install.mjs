// Installs all that the conformance run needs into the cache (cache.mjs), so that the run itself need not wait for it:
// `node test/conformance/install.mjs`, on a checkout without dependencies too. What fails here is tried again by the run.

import { prepareTools, toolNeeds } from './clients/kafka-tools.mjs'
import { clients, prepare } from './clients/list.mjs'
import { brokerJars } from './maven.mjs'
import { browserNeeds, installPlaywright } from './playwright.mjs'
import { missingToolchain } from './toolchains.mjs'

const inOrder = async (wanted) => {
  for (const { name, needs, install } of wanted) {
    if (missingToolchain(needs) !== null) continue
    const startedMs = performance.now()
    const fault = await install().then(
      () => null,
      (error) => error.message,
    )
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    console.log(`${name}: ${fault === null ? 'installed' : `FAILED: ${fault}`} in ${seconds} s`)
  }
}

const asClient = (name) => ({ name, needs: clients[name].needs, install: () => prepare(name) })
const tools = { name: 'kafka-tools', needs: toolNeeds, install: prepareTools }
const broker = { name: 'Apache Kafka', needs: ['java', 'mvn'], install: brokerJars }
const browser = { name: 'playwright-core', needs: browserNeeds, install: installPlaywright }
const compiled = ['node-rdkafka', 'franz-go', 'sarama', 'kafka-go']
const others = Object.keys(clients).filter((name) => !compiled.includes(name))

// What is compiled keeps the processor busy, and what is not waits for the network.
await Promise.all([
  inOrder(compiled.map(asClient)),
  inOrder([broker, tools, browser, ...others.map(asClient)]),
])
