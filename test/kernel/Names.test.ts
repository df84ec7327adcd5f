import { expect, test } from 'vitest'
import { type Source, sources } from '../package/sources.js'

const declaration = /^export (?:const|function|interface|type|class) (\w+)/gm

/** The names that several files export, with the files. A type and its value of one name are one thing. */
const shared = (files: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const homes = new Map<string, Set<string>>()
  for (const { path, text } of files) {
    for (const [, name = ''] of text.matchAll(declaration)) homes.set(name, (homes.get(name) ?? new Set()).add(path))
  }
  return [...homes].flatMap(([name, paths]) => (paths.size > 1 ? [`${name} in ${[...paths].join(' and ')}`] : []))
}

test('no two files of the kernel export one name', () => {
  expect(shared(sources('src/kernel'))).toEqual([])
})

test('a name that two files export is found', () => {
  const file = (path: string, text: string): Source => ({ path, text })
  expect(
    shared([
      file('A.ts', 'export type Block = number\nexport const Block = 1'),
      file('B.ts', 'export interface Block {'),
      file('C.ts', 'const Block = 2')
    ])
  ).toEqual(['Block in A.ts and B.ts'])
})
