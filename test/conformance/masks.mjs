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
  {
    field: 'partitionResponses',
    how: 'sorted',
    why: 'Kafka lists partitions in the order of a hash table',
  },
  { field: 'responses', how: 'sorted', why: 'Kafka lists topics in the order of a hash table' },
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
    why: 'the newest versions are not all served',
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
export const accepted = [
  {
    step: /^metadata: unknown, may be made v/,
    why: 'Kafka answers UNKNOWN_TOPIC_OR_PARTITION while it makes the topic; here it is made at once and answered',
  },
  {
    step: /^metadata: neither id nor name v/,
    why: 'Kafka fails inside and answers UNKNOWN_SERVER_ERROR; here the name is told to be invalid',
  },
  {
    step: /^(create topics|configs): /,
    path: /configs\[min\.insync\.replicas\]\.configSource$/,
    why: 'Kafka sets min.insync.replicas for the whole cluster while it starts; here it is the default',
  },
  {
    step: /^create topics: (only checked|defaults|assigned) v7$/,
    path: /topicId$/,
    why: 'Kafka makes up an id for a topic that it only checks, and the ids that follow count one more; here it has none',
  },
  {
    step: /^configs: of a topic, with synonyms v/,
    path: /synonyms/,
    why: 'only the synonym in force is told, not those that it hides',
  },
  {
    step: /^configs: of the broker v/,
    path: /readOnly$/,
    why: 'settings of the embedded broker stay as it was started',
  },
  {
    step: /^configs: unknown operation v/,
    path: /error(Code|Message)$/,
    why: 'Kafka fails inside and answers UNKNOWN_SERVER_ERROR; here it is an INVALID_REQUEST',
  },
  {
    step: /^(produce|idempotence|produce, hostile): /,
    path: /partitionResponses\[\d+\]\.errorMessage$/,
    why: 'a refused batch comes with a message here that says why; Kafka leaves it to its log',
  },
  {
    step: /^(idempotence|produce, hostile): /,
    path: /logStartOffset$/,
    why: 'Kafka tells the log start with some refusals and -1 with others; here a refused batch always has -1',
  },
  {
    step: /^produce, hostile: in three days v12$/,
    path: /recordErrors/,
    why: 'Kafka names the record; here the message of the batch says it',
  },
  {
    step: /^produce, hostile: (one byte more|end after one byte more, sent by v\d+) v/,
    why: 'Kafka drops bytes after the batch silently; here they are INVALID_RECORD',
  },
  {
    step: /^produce, hostile: .*(snappy|lz4|zstd) that is none/,
    why: 'Kafka decompresses every batch; here only gzip is tried, and the CRC vouches for the rest',
  },
  {
    step: /^produce, hostile: .*(negative record length|record length too large)/,
    why: 'Kafka reads every record; here a batch is judged by its header, and the CRC vouches for the rest',
  },
  {
    step: /^produce, hostile: null records v7$/,
    path: /^$/,
    why: 'Kafka never answers; here it is INVALID_RECORD',
  },
  {
    step: /^idempotence: (the same again|sequence \d, (fifth )?newest|the one over the end again) v/,
    path: /logAppendTimeMs$/,
    why: 'Kafka tells the newest timestamp of a batch that it had already; here -1, as for any batch with CreateTime',
  },
  {
    step: /^fetch: one batch by size v/,
    path: /records$/,
    why: 'Kafka cuts the last batch where the limit lies, and clients throw the piece away; here batches are whole',
  },
  {
    step: /^fetch: new session v/,
    path: /^sessionId$/,
    why: 'fetch sessions are not kept: session 0 tells the client to go on without one',
  },
  {
    step: /^static members: describe \d+ v/,
    path: /clientId$/,
    why: 'Kafka keeps the client id of the first member of an instance; here it is that of the member who is there',
  },
]
