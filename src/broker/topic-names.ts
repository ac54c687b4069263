/** Kafka's rules for topic names (org.apache.kafka.common.internals.Topic). */

const maxLength = 249

/** What makes `name` no legal topic name, in Kafka's words; null when nothing does. */
export const topicNameFault = (name: string): string | null => {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return "'.' or '..' is not allowed"
  if (name.length > maxLength) {
    return `the length of '${name.slice(0, 20)}...' is longer than the max allowed length ${maxLength}`
  }
  if (!/^[\w.-]+$/.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return null
}

/** Names with the same form collide, as '.' and '_' are the same in names of metrics. */
export const collisionForm = (name: string): string => name.replaceAll('.', '_')
