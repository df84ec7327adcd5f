import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import * as Files from '../../../cli/edge/Files.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-files-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let folder = ''
let count = 0
beforeEach(() => {
  folder = join(scratch, String(count++))
  mkdirSync(folder)
})

const said = (result: E.Either<Files.FileError, unknown>): string =>
  E.isLeft(result) ? Files.showError(result.left) : 'done'

describe('writing a file', () => {
  test('leaves the whole file and nothing else, from many writers at once too', async () => {
    const path = join(folder, 'a.txt')
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(100_000))
    const all = await Promise.all(texts.map((text) => Files.write(path, text)()))
    expect(all.map(said)).toEqual(texts.map(() => 'done'))
    expect(texts).toContain(readFileSync(path, 'utf8'))
    expect(readdirSync(folder)).toEqual(['a.txt'])
  })

  test('that fails leaves what was there, and nothing else', async () => {
    const path = join(folder, 'a.txt')
    mkdirSync(path)
    expect(said(await Files.write(path, 'text')())).toBe(`could not write ${path}: it is a folder`)
    expect(readdirSync(folder)).toEqual(['a.txt'])
  })

  test('says why it can not be', async () => {
    const nowhere = join(folder, 'no', 'a.txt')
    expect(said(await Files.write(nowhere, '')())).toBe(`could not write ${nowhere}: its folder does not exist`)
    writeFileSync(join(folder, 'file'), '')
    const below = join(folder, 'file', 'a.txt')
    expect(said(await Files.write(below, '')())).toBe(`could not write ${below}: a part of the path is no folder`)
    const long = join(folder, 'a'.repeat(300))
    expect(said(await Files.write(long, '')())).toBe(`could not write ${long}: the name is too long`)
  })
})

describe('making a folder', () => {
  test('makes its parents, and takes one that is there', async () => {
    const path = join(folder, 'a', 'b', 'c')
    expect(said(await Files.makeFolder(path)())).toBe('done')
    expect(said(await Files.makeFolder(path)())).toBe('done')
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['c'])
    expect(said(await Files.makeFolder('/')())).toBe('done')
  })

  test('of which a parent is a file says so', async () => {
    writeFileSync(join(folder, 'file'), '')
    for (const path of [join(folder, 'file'), join(folder, 'file', 'a'), join(folder, 'file', 'a', 'b')]) {
      expect(said(await Files.makeFolder(path)())).toBe(
        `could not make the folder ${path}: a part of the path is no folder`
      )
    }
  })

  test.runIf(process.platform === 'linux')('where no one can does not go on for ever', async () => {
    for (const path of ['/proc/x', '/proc/x/y/z', '/proc/self/fd/x/y'])
      expect(said(await Files.makeFolder(path)())).toMatch(
        /^could not make the folder \/proc\/[a-z/]+: (its folder does not exist|permission was denied)$/
      )
  })

  test.runIf(process.platform === 'linux')('below a working folder that was deleted says so', async () => {
    const [before, gone] = [process.cwd(), join(folder, 'gone')]
    mkdirSync(gone)
    process.chdir(gone)
    try {
      rmSync(gone, { recursive: true })
      for (const path of ['a', 'a/b', './a'])
        expect(said(await Files.makeFolder(path)())).toMatch(
          /^could not make the folder \S+: its folder does not exist$/
        )
    } finally {
      process.chdir(before)
    }
  })

  test.runIf(process.getuid?.() !== 0)('in a folder that may not be written says so', async () => {
    chmodSync(folder, 0o500)
    expect(said(await Files.makeFolder(join(folder, 'a'))())).toBe(
      `could not make the folder ${join(folder, 'a')}: permission was denied`
    )
  })

  test('of one of many that make it at once is new to one', async () => {
    const path = join(folder, 'runs', 'a')
    const all = await Promise.all(Array.from({ length: 20 }, () => Files.makeNewFolder(path)()))
    expect(all.filter((made) => E.isRight(made) && made.right)).toHaveLength(1)
    expect(all.filter(E.isLeft)).toEqual([])
  })
})

describe('reading', () => {
  test('says why it can not be', async () => {
    const path = join(folder, 'none')
    expect(said(await Files.read(path)())).toBe(`could not read ${path}: it does not exist`)
    expect(said(await Files.read(folder)())).toBe(`could not read ${folder}: it is a folder`)
    expect(said(await Files.list(path)())).toBe(`could not look into ${path}: it does not exist`)
  })
})
