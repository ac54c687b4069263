import { PassThrough } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { guardStream } from './io.ts'

const failure = (code: string): Error => Object.assign(new Error(`write ${code}`), { code })

describe('streams', () => {
  it('let a reader go away', () => {
    const stream = new PassThrough()
    const onFailure = vi.fn()
    guardStream(stream, onFailure)
    stream.emit('error', failure('EPIPE'))
    stream.emit('error', failure('ERR_STREAM_DESTROYED'))
    expect(onFailure).not.toHaveBeenCalled()
  })

  it('tell once of any other failure', () => {
    const stream = new PassThrough()
    const onFailure = vi.fn()
    guardStream(stream, onFailure)
    stream.emit('error', failure('ENOSPC'))
    stream.emit('error', failure('ENOSPC'))
    expect(onFailure).toHaveBeenCalledTimes(1)
    expect(String(onFailure.mock.calls[0]?.[0])).toContain('ENOSPC')
  })
})
