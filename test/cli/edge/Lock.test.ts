import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Failure } from '../../../cli/edge/Failure.js'
import { type Held, lockName, take } from '../../../cli/edge/Lock.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-lock-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let folder = ''
let count = 0
const taken: Array<Held> = []

beforeEach(() => {
  folder = join(scratch, String(count++))
  mkdirSync(folder)
})

afterEach(async () => {
  for (const { release } of taken.splice(0)) await release()
})

const took = async (): Promise<E.Either<Failure, Held>> => {
  const result = await take(folder)()
  if (E.isRight(result)) taken.push(result.right)
  return result
}

const held = async (): Promise<Held> => {
  const result = await took()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const path = (): string => join(folder, lockName)

const Holder = t.type({ pid: t.number, place: t.string, started: t.string, token: t.string })

const holder = (): t.TypeOf<typeof Holder> => {
  const read = Holder.decode(JSON.parse(readFileSync(path(), 'utf8')))
  if (E.isLeft(read)) throw new Error('no holder')
  return read.right
}

const write = (change: Partial<t.TypeOf<typeof Holder>>): void => {
  writeFileSync(path(), JSON.stringify({ ...holder(), ...change, token: 'of another' }))
}

const said = (result: E.Either<Failure, unknown>): string => (E.isLeft(result) ? result.left.message : 'taken')

/** The number of a process that has ended. */
const dead = (): number => spawnSync(process.execPath, ['-e', '']).pid

describe('a folder that is taken', () => {
  test('is refused to others until it is released', async () => {
    const first = await held()
    expect(said(await took())).toBe(
      `${folder}: expected a folder that no run is in, got one that process ${process.pid} holds; wait for it, or choose another folder`
    )
    await first.release()
    expect(readdirSync(folder)).toEqual([])
    expect(said(await took())).toBe('taken')
  })

  test('says who holds it, and not on which machine', async () => {
    await held()
    expect(Object.keys(holder()).sort()).toEqual(['pid', 'place', 'started', 'token'])
    expect(holder().pid).toBe(process.pid)
  })

  test('is taken by one of many that want it at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, took))
    expect(all.filter(E.isRight)).toHaveLength(1)
  })

  test('is held by a process of another user, too', async () => {
    const first = await held()
    // process 1 is there, and not to be signalled by most users
    write({ pid: 1, started: startOf(1) })
    expect(said(await took())).toContain('got one that process 1 holds')
    await first.release()
  })
})

/** When a process started, as the system says it. */
const startOf = (pid: number): string => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

describe('a lock that was left', () => {
  const left = async (change: Partial<t.TypeOf<typeof Holder>>): Promise<void> => {
    const first = await held()
    write(change)
    await first.release()
    // what is not one's own is not removed
    expect(existsSync(path())).toBe(true)
  }

  test('by a dead process is taken over, with what it left unfinished', async () => {
    await left({ pid: dead() })
    writeFileSync(join(folder, 'checkpoint.safetensors.123-abc.part'), 'half')
    writeFileSync(join(folder, 'checkpoint.safetensors'), 'whole')
    expect(said(await took())).toBe('taken')
    expect(holder().pid).toBe(process.pid)
    expect(readdirSync(folder).sort()).toEqual(['checkpoint.safetensors', lockName])
  })

  test.runIf(existsSync('/proc/self/stat'))('is taken over when its number is that of a later process', async () => {
    await left({ started: '1' })
    expect(said(await took())).toBe('taken')
  })

  test.runIf(existsSync('/proc/self/stat'))(
    'is taken over from a process that ended and that no one waited for',
    async () => {
      const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'])
      const pid = await new Promise<number>((resolve) => {
        parent.stdout.on('data', (text) => resolve(Number(String(text))))
      })
      await left({ pid, started: startOf(pid) })
      while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '))
        await new Promise((next) => setTimeout(next, 5))
      expect(said(await took())).toBe('taken')
      parent.kill()
    }
  )

  test('empty, or no lock at all, is taken over', async () => {
    for (const text of ['', '{', '{"pid":1}', 'null']) {
      writeFileSync(path(), text)
      expect([text, said(await took())]).toEqual([text, 'taken'])
      await taken.splice(0)[0]?.release()
    }
  })

  test('of another machine, container or boot is kept while it shows itself, and taken over later', async () => {
    const first = await held()
    write({ place: 'elsewhere' })
    expect(said(await took())).toBe(
      `${folder}: expected a folder that no run is in, got one that a process of another machine, container or boot held a moment ago; ` +
        `if that one has ended, remove ${path()}`
    )
    const old = new Date(Date.now() - 11 * 60_000)
    utimesSync(path(), old, old)
    expect(said(await took())).toBe('taken')
    await first.release()
  })

  test('by a dead process is taken over by one of many that want it at once', async () => {
    for (let round = 0; round < 20; round++) {
      await left({ pid: dead() })
      const all = await Promise.all(Array.from({ length: 8 }, took))
      expect(all.filter(E.isRight)).toHaveLength(1)
      for (const { release } of taken.splice(0)) await release()
    }
  })
})

describe('a run that lost its folder', () => {
  test('is told so, and leaves the lock of the other alone', async () => {
    const first = await held()
    expect(said(await first.mine())).toBe('taken')
    write({})
    expect(said(await first.mine())).toBe(`${folder}: expected this run's run.lock in it, got another's; it stops`)
    await first.release()
    expect(existsSync(path())).toBe(true)
    rmSync(folder, { recursive: true })
    expect(said(await first.mine())).toBe(
      `${folder}: expected this run's run.lock in it, got none (it does not exist); it stops`
    )
  })

  test('can not be taken where there is no folder', async () => {
    rmSync(folder, { recursive: true })
    expect(said(await took())).toBe(`could not take the folder ${folder}: it does not exist`)
  })
})
