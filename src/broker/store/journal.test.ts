import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { diskJournal } from './journal.ts'
import { StorageError } from './store.ts'

const filled = (): string => {
  const file = path.join(tempFolder(), 'sub', 'journal.jsonl')
  const journal = diskJournal(file)
  for (const n of [1, 2, 3]) journal.append({ n })
  journal.close()
  return file
}

test('entries are found again', () => {
  const journal = diskJournal(filled())
  expect(journal.entries()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  journal.close()
})

test('a torn last line is cut off at every length and the next entry takes its place', () => {
  const file = filled()
  const whole = readFileSync(file)
  const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1
  for (let length = lastLine; length < whole.length; length++) {
    writeFileSync(file, whole)
    truncateSync(file, length)
    const journal = diskJournal(file)
    expect(journal.entries()).toEqual([{ n: 1 }, { n: 2 }])
    journal.append({ n: 4 })
    journal.close()
    const again = diskJournal(file)
    expect(again.entries()).toEqual([{ n: 1 }, { n: 2 }, { n: 4 }])
    again.close()
  }
})

test('a damaged line in between is an error that names it', () => {
  const file = filled()
  appendFileSync(file, 'nonsense\n{"n":5}\n')
  expect(() => diskJournal(file)).toThrow(/journal\.jsonl is damaged at line 4/)
})

test('a rewrite is there after opening again, and appends follow it', () => {
  const file = filled()
  const journal = diskJournal(file)
  journal.rewrite([{ n: 9 }])
  journal.append({ n: 10 })
  journal.close()
  expect(readFileSync(file, 'utf8')).toBe('{"n":9}\n{"n":10}\n')
  expect(existsSync(`${file}.new`)).toBe(false)
})

test('an entry that cannot be written is a storage error and no entry', () => {
  const journal = diskJournal(path.join(tempFolder(), 'journal.jsonl'))
  journal.close()
  expect(() => journal.append({ n: 1 })).toThrow(StorageError)
  expect(journal.entries()).toEqual([])
})
