import requestQueueModule from 'kafkajs/src/network/requestQueue/index.js'

/**
 * Mends a timer of kafkajs 2.2.4 when it is imported. After every answer kafkajs sets a timer for its queue, also when
 * the queue is empty, and then with a negative delay: a timer per request, and a TimeoutNegativeWarning on newer Node
 * versions.
 */

interface RequestQueue {
  pending: unknown[]
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}

const { prototype } = requestQueueModule as { prototype: RequestQueue }
const schedule = prototype.scheduleCheckPendingRequests
prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this)
}
