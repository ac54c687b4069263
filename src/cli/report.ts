import { Command } from 'commander'
import type { Io } from './io.ts'

/** `bench report RESULT`: any report again from a saved result. Throws `BenchError`s. */
export const reportCommand = (_io: Io): Command => new Command('report')
