// Connects one driver: `node connect.mjs CLIENT CONNECTION`, the connection as JSON. Prints `connected`, or the error as
// JSON. Of bench itself the driver's own words could not be seen, since kafkajs administers first.
import { loadDriver } from '../../dist/src/clients/index.js'
import { systemClock } from '../../dist/src/clock.js'

const [name, connection] = process.argv.slice(2)
const driver = await loadDriver(name, systemClock)
try {
  const client = await driver.createMetadataClient(JSON.parse(connection))
  await client.request()
  await client.close()
  console.log('connected')
} catch (error) {
  console.log(JSON.stringify({ type: error.constructor.name, message: error.message }))
}
process.exit(0)
