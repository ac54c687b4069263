// The table client × check, as Markdown.
const introduction = `# Clients

What clients that nobody here wrote do against the embedded broker. This page is made by \`npm run conformance\`, which
installs each of them, runs the checks below on each profile of the broker and on one of three nodes, and writes the
tables when all were there. A profile serves no later versions than that Apache Kafka did, so that one client walks
different code paths.

- **topics**: create, describe and delete one with three partitions.
- **produce, consume**: 100 records to each of three partitions, read from the beginning, in order, each once.
- **idempotent produce**: the same with an idempotent producer.
- **group of three**: members that join a second apart. 300 records are there before, 300 come when each member has a
  partition; each member gets its share, and all together get every record once.
- **list, describe groups**: that group, with its three members, and empty after they have left.
- **commit, resume**: 7 of 20 records, then a commit, then the broker is restarted; the other 13 come next.
- **none, gzip, snappy, lz4, zstd**: writes with that codec, and reads what every other client has written with it.

The tools that come with Apache Kafka have a table of their own. They run unchanged on one topic with three partitions:

- **VerifiableProducer**: 600 records, all acknowledged.
- **three VerifiableConsumers**: the first reads those, the others join a second apart; when each has a partition,
  ProducerPerformance sends. Every member gets some, no commit is refused, every offset is read once.
- **ProducerPerformance**: 20,000 records.
- **ConsumerPerformance**: reads all 20,600 from the beginning, and counts them.
`

/** `states` have `{ client, version, cells }`, cells by column as `{ kind, why }`. */
export const tableOf = (states, columns) => {
  const notes = []
  const cellOf = ({ kind, why } = { kind: 'FAIL', why: 'did not come that far' }) => {
    if (kind !== 'n/a') return kind
    if (!notes.includes(why)) notes.push(why)
    return `n/a (${notes.indexOf(why) + 1})`
  }
  const lines = states.map(({ client, version, cells: found }) => {
    const cells = columns.map((column) => cellOf(found[column]))
    return `| ${[client.title, version, ...cells].join(' | ')} |`
  })
  const head = `| ${['client', 'version', ...columns].join(' | ')} |`
  const rule = `|${' --- |'.repeat(columns.length + 2)}`
  const numbered = notes.map((why, i) => `${i + 1}. ${why}`)
  return `${[head, rule, ...lines].join('\n')}\n${notes.length === 0 ? '' : `\n${numbered.join('\n')}\n`}`
}

/** `tables`: `{ title, text }`. */
export const pageOf = (tables) =>
  [introduction, ...tables.map(({ title, text }) => `## ${title}\n\n${text}`)].join('\n')
