import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { usage } from '../../../cli/edge/Failure.js'
import { find, names } from '../../../cli/tasks/Find.js'
import { root } from '../../package/sources.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-find-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const moduleOf = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** A task as a module writes it, without the library, which its folder can not see. */
const written = (name: string): string =>
  `{ _tag: 'Task', name: '${name}', about: 'x', defaults: () => ({}), models: new Map(), trainings: new Map(), toys: new Map() }`

const nameOf = async (name: string): Promise<string> => {
  const found = await find(name)()
  return E.isLeft(found) ? `${found.left.kind}: ${found.left.message}` : found.right.name
}

describe('a task that ships', () => {
  it('is a folder of its own', () => {
    const folders = readdirSync(join(root, 'cli', 'tasks'), { withFileTypes: true }).filter((one) => one.isDirectory())
    expect(names()).toEqual(folders.map((one) => one.name).sort())
    expect(names()).toEqual(['clips', 'faces', 'garments', 'points', 'tokens'])
  })

  it.each(['clips', 'faces', 'garments', 'points', 'tokens'])('is found by its name: %s', async (name) => {
    expect(await nameOf(name)).toBe(name)
  })
})

describe('a name that is none', () => {
  const ship = 'clips, faces, garments, points, tokens'

  it.each([
    ['point', `expected one of ${ship}, or a module such as ./point.mjs, got "point"; near it is points`],
    ['fcaes', `expected one of ${ship}, or a module such as ./fcaes.mjs, got "fcaes"; near it is faces`],
    ['rings', `expected one of ${ship}, or a module such as ./rings.mjs, got "rings"`],
    ['two rings', `expected one of ${ship}, or a module such as ./task.mjs, got "two rings"`],
    ['', `expected one of ${ship}, or a module such as ./task.mjs, got ""`],
    ['constructor', `expected one of ${ship}, or a module such as ./constructor.mjs, got "constructor"`],
    ['Find', `expected one of ${ship}, or a module such as ./Find.mjs, got "Find"`]
  ])('%j is told what there is, and what is near', async (name, said) => {
    expect(await find(name)()).toEqual(E.left(usage(`--task: ${said}`)))
  })

  it('is not looked up beside the folders', async () => {
    for (const name of ['../tasks', 'faces/../points', 'faces/text']) {
      expect(await nameOf(name)).toBe(
        `usage: --task: ${name} does not exist; name a module, or one of clips, faces, garments, points, tokens`
      )
    }
  })
})

describe('a module', () => {
  it('is found by its path, whole or from the working folder', async () => {
    const path = moduleOf('rings.mjs', `export default ${written('rings')}`)
    expect(await nameOf(path)).toBe('rings')
    expect(await nameOf(`./${relative(process.cwd(), path)}`)).toBe('rings')
  })

  it('may export its task under that name', async () => {
    expect(await nameOf(moduleOf('named.mjs', `export const task = ${written('named')}`))).toBe('named')
  })

  it('may wait for what it reads', async () => {
    const text = `const name = await Promise.resolve('late')\nexport default { ...${written('x')}, name }`
    expect(await nameOf(moduleOf('late.mjs', text))).toBe('late')
  })

  it('that is not there is told so', async () => {
    const path = join(folder, 'nowhere.mjs')
    expect(existsSync(path)).toBe(false)
    expect(await nameOf(path)).toBe(
      `usage: --task: ${path} does not exist; name a module, or one of clips, faces, garments, points, tokens`
    )
  })

  it.each([
    ['throws', "throw new Error('out of rings')", 'out of rings'],
    ['throws what is no error', "throw 'out of rings'", 'out of rings'],
    ['rejects', "await Promise.reject(new Error('no rings'))", 'no rings'],
    ['is no JavaScript', 'export default {', ''],
    [
      'imports what is not there',
      "import 'no-such-package'",
      '; npm install no-such-package in the folder of the module, or'
    ]
  ])('that %s does not load, and says why', async (name, text, reason) => {
    const path = moduleOf(`${name.replaceAll(' ', '-')}.mjs`, text)
    const said = await nameOf(path)
    expect(said.startsWith(`usage: --task: ${path} does not load: `)).toBe(true)
    expect(said).toContain(reason)
  })

  it.each([
    ['nothing', 'export const rings = 1', 'none'],
    ['a name', "export default 'rings'", 'a string'],
    ['a function', 'export default () => 1', 'a function'],
    ['another object', "export default { name: 'rings' }", 'another object'],
    ['null', 'export default null', 'none']
  ])('that exports %s has no task', async (name, text, got) => {
    const path = moduleOf(`${name.replaceAll(' ', '-')}-exported.mjs`, text)
    expect(await nameOf(path)).toBe(
      `usage: --task: ${path}: expected a default export made by \`task\` of 'halforder/task', got ${got}`
    )
  })

  it('of a folder is none', async () => {
    expect(await nameOf(`${folder}/`)).toMatch(/^usage: --task: .* does not load: /)
  })
})
