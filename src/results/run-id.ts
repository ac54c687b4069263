import { randomBytes } from 'node:crypto'

/** The name of one run, used in topic, group and file names. */

/** 12 lower-case hexadecimal digits (48 random bits). */
export const newRunId = (): string => randomBytes(6).toString('hex')
