// The one place that says where answers of Apache Kafka and of the embedded broker may differ, each with its reason.

/**
 * Fields that differ by nature. `api` absent means in every API. `how`:
 *   alias     ids chosen at random: the n-th new one of a scenario is the n-th of the other broker's
 *   own port  the port that the broker listens on
 *   sorted    the order is not part of the contract
 *   no internal  without __consumer_offsets
 *   subset    Kafka's list may have more elements (by name or API key) than ours, never fewer
 *   at most   ours may be lower
 *   text      words for people: both null or both not
 *   ignore    not compared
 */
export const masks = [
  { field: 'port', how: 'own port', why: 'each broker tells the port that it listens on' },
  { field: 'clusterId', how: 'alias', why: 'a cluster chooses its id at random' },
  { field: 'topicId', how: 'alias', why: 'topic ids are random' },
  { field: 'memberId', how: 'alias', why: 'member ids end in a random UUID' },
  { field: 'leader', how: 'alias', why: 'a member id' },
  { field: 'producerId', how: 'alias', why: 'producer ids come from blocks that differ' },
  {
    api: 'Metadata',
    field: 'topics',
    how: 'no internal',
    why: 'committed offsets are not kept in a topic here, so there is no __consumer_offsets',
  },
  { field: 'topics', how: 'sorted', why: 'Kafka lists topics in the order of a hash table' },
  {
    field: 'partitions',
    how: 'sorted',
    why: 'Kafka lists partitions in the order of a hash table',
  },
  { field: 'results', how: 'sorted', why: 'Kafka lists results in the order of a hash table' },
  { field: 'members', how: 'sorted', why: 'Kafka lists members in the order of a hash table' },
  { field: 'groups', how: 'sorted', why: 'Kafka lists groups in the order of a hash table' },
  {
    api: 'ApiVersions',
    field: 'apiKeys',
    how: 'subset',
    why: 'only what is served is told, and not all of Kafka is served',
  },
  {
    api: 'ApiVersions',
    field: 'maxVersion',
    how: 'at most',
    why: 'versions that name topics by id alone are not served',
  },
  {
    api: 'ApiVersions',
    field: 'supportedFeatures',
    how: 'subset',
    why: 'features are of brokers and controllers among each other; none is claimed',
  },
  {
    api: 'ApiVersions',
    field: 'finalizedFeatures',
    how: 'subset',
    why: 'features are of brokers and controllers among each other; none is claimed',
  },
  {
    api: 'ApiVersions',
    field: 'finalizedFeaturesEpoch',
    how: 'ignore',
    why: 'counts the changes of features, of which there are none here',
  },
  { field: 'configs', how: 'sorted', why: 'Kafka lists configs in the order of a hash table' },
  {
    field: 'configs',
    how: 'subset',
    why: 'only configs that have an effect, or that clients ask for, are known',
  },
  { field: 'errorMessage', how: 'text', why: 'words for people, which clients must not read' },
]

/**
 * Differences of behaviour that are meant. Each must occur in a full run, else the run fails and the entry can go.
 * `step` is matched against `SCENARIO: LABEL vN`, `path` (absent: any) against the field's path.
 */
export const accepted = []
