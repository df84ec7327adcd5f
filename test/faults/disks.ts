/** Small disks that fill up, turn read-only or vanish; without the right to mount some, a limit on the size of files. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { contents, hasCheckpoint, newFolder, pause, run, start } from './program.js'

const mount = (...args: ReadonlyArray<string>): boolean => spawnSync('mount', args).status === 0

const unmount = (path: string, ...how: ReadonlyArray<string>): void => {
  spawnSync('umount', [...how, path])
}

/** May this process mount a disk? */
export const mayMount = (base: string): boolean => {
  const disk = newFolder(base, 'probe')
  const may = mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk)
  if (may) unmount(disk)
  return may
}

export interface Broken {
  /** Runs that ended by the fault, and that the fault came too late for. */
  failed: number
  ran: number
  /** Failures that have not the words that they should have, or no exit code 1. */
  unclear: number
  /** Folders that could neither be gone on from nor taken by the same command. */
  unresumable: number
  different: number
  readonly complaints: Array<string>
}

const none = (): Broken => ({ failed: 0, ran: 0, unclear: 0, unresumable: 0, different: 0, complaints: [] })

export interface Way {
  readonly begin: (folder: string) => ReadonlyArray<string>
  readonly goOn: (folder: string) => ReadonlyArray<string>
}

/** The run to its end once the fault is mended. */
const mended = async (
  broken: Broken,
  way: Way,
  folder: string,
  expected: Readonly<Record<string, string>>
): Promise<void> => {
  const last = await run(hasCheckpoint(folder) ? way.goOn(folder) : way.begin(folder))
  if (last.code !== 0) {
    broken.unresumable++
    broken.complaints.push(last.err)
    return
  }
  const got = contents(folder)
  const other = Object.keys({ ...expected, ...got }).filter((name) => expected[name] !== got[name])
  if (other.length > 0) {
    broken.different++
    broken.complaints.push(`${folder}: ${other.join(', ')}`)
  }
}

const judge = (
  broken: Broken,
  { code, err }: { readonly code: number | undefined; readonly err: string },
  words: RegExp,
  begun: boolean
): void => {
  if (code === 0) {
    broken.ran++
    return
  }
  broken.failed++
  // what is left of a run is said rightly, too
  const remains = begun ? / has the checkpoint of step \d+; / : / has no checkpoint to go on from/
  if (code === 1 && words.test(err) && (remains.test(err) || !err.includes('\n  '))) return
  broken.unclear++
  broken.complaints.push(`${code}: ${err}`)
}

/** Disks of growing sizes in kB; the disk is made larger after the failure, and the run goes on. */
export const full = async (base: string, way: Way, sizes: ReadonlyArray<number>): Promise<Broken> => {
  const broken = none()
  const whole = join(base, 'whole')
  await run(way.begin(whole))
  const expected = contents(whole)
  for (const size of sizes) {
    const disk = newFolder(base, `disk-${size}`)
    mount('-t', 'tmpfs', '-o', `size=${size}k`, 'tmpfs', disk)
    const folder = join(disk, 'run')
    judge(broken, await run(way.begin(folder)), /the disk is full; free some space/, hasCheckpoint(folder))
    mount('-o', 'remount,size=64m', disk)
    await mended(broken, way, folder, expected)
    unmount(disk)
  }
  return broken
}

/** The same by a limit on the size of a file, in blocks of 512 bytes, which needs no disk. */
export const limited = async (base: string, way: Way, sizes: ReadonlyArray<number>): Promise<Broken> => {
  const broken = none()
  const whole = join(base, 'whole')
  await run(way.begin(whole))
  const expected = contents(whole)
  for (const size of sizes) {
    const folder = join(base, `limit-${size}`)
    const under = ['sh', '-c', `ulimit -f ${size}; exec "$@"`, 'sh']
    judge(
      broken,
      await run(way.begin(folder), { under }),
      /it would be larger than files may be here/,
      hasCheckpoint(folder)
    )
    await mended(broken, way, folder, expected)
  }
  return broken
}

/** What happens to a disk or a folder while a run is in it, and how it is mended. */
export interface Blow {
  readonly words: RegExp
  readonly strike: (disk: string, folder: string) => void
  readonly mend: (disk: string) => void
}

export const readOnly: Blow = {
  words: /the file system is read-only/,
  strike: (disk) => {
    // a file that is being written keeps the disk writable: try until it is closed
    while (!mount('-o', 'remount,ro', disk));
  },
  mend: (disk) => {
    mount('-o', 'remount,rw', disk)
  }
}

/** The folder is removed: there is nothing to go on from, and the same command begins again. */
export const removed: Blow = {
  words: /does not exist|is gone|got none/,
  strike: (_, folder) => rmSync(folder, { recursive: true, force: true }),
  mend: () => undefined
}

/** A disk that is taken away while files on it are in use. */
export const vanished: Blow = {
  words: /does not exist|got none/,
  strike: (disk) => unmount(disk, '-l'),
  mend: () => undefined
}

/** A blow at several moments after the first checkpoint. */
export const struck = async (base: string, way: Way, blow: Blow, moments: ReadonlyArray<number>): Promise<Broken> => {
  const broken = none()
  const whole = join(base, 'whole')
  await run(way.begin(whole))
  const expected = contents(whole)
  for (const moment of moments) {
    const disk = newFolder(base, `disk-${moment}`)
    const folder = join(disk, 'run')
    mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk)
    const { child, ended } = start(way.begin(folder))
    while (!hasCheckpoint(folder) && child.exitCode === null) await pause(5)
    await pause(moment)
    blow.strike(disk, folder)
    judge(broken, await ended, blow.words, existsSync(folder) && hasCheckpoint(folder))
    blow.mend(disk)
    await mended(broken, way, folder, expected)
    unmount(disk)
  }
  return broken
}
