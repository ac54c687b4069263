import type { Retention } from './log.ts'
import type { Settings } from './settings.ts'

/** The topic configs that the data path obeys, each falling back to the broker's setting. */

export interface TopicLimits {
  readonly maxMessageBytes: number
  readonly timestampAfterMaxMs: number
  /** `message.timestamp.type=LogAppendTime`. */
  readonly isLogAppendTime: boolean
  readonly segmentBytes: number
  readonly retention: Retention
}

/** Reads `configs`, which were checked when they were given; what is no number counts as not given. */
export const topicLimits = (
  configs: Readonly<Record<string, string>>,
  settings: Settings,
): TopicLimits => {
  const number = (name: string, fallback: number): number => {
    const text = configs[name]
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : fallback
  }
  return {
    maxMessageBytes: number('max.message.bytes', settings['message.max.bytes']),
    timestampAfterMaxMs: number(
      'message.timestamp.after.max.ms',
      settings['message.timestamp.after.max.ms'],
    ),
    isLogAppendTime: configs['message.timestamp.type'] === 'LogAppendTime',
    segmentBytes: number('segment.bytes', settings['log.segment.bytes']),
    retention: {
      maxBytes: number('retention.bytes', settings['log.retention.bytes']),
      maxAgeMs: number('retention.ms', settings['log.retention.ms']),
    },
  }
}
