// the tables of folders, before anything reads them
import './scripts/tables.mjs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Pure rooms: their tests change nothing that another file sees, and share the modules that one worker has loaded.
const pure = 'chain document estimator format lens network optimizer random reward task tensor training docs'.split(' ')
const shared = ['laws/**/*.test.ts', ...pure.map((room) => `test/${room}/**/*.test.ts`)]

// What takes longest begins first, lest one core wait for the other at the end. Files of a project stay together, for those that share modules.
const longest = [
  'browser/Modes',
  'command/Verify.',
  'command/Finetune.',
  'faults/Short',
  'package/Install',
  'command/Resume',
  'estimator/Unbiased.',
  'estimator/UnbiasedSmoothed',
  'estimator/Laws'
]

const rank = ({ moduleId }: TestSpecification): number => {
  const at = longest.findIndex((name) => moduleId.includes(name))
  return at === -1 ? longest.length : at
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files)
    const projects = [...new Set(usual.map(({ project }) => project.name))]
    return projects.flatMap((name) =>
      usual.filter(({ project }) => project.name === name).sort((a, b) => rank(a) - rank(b))
    )
  }
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    // The public entry points stand for their sources, so that examples are tested as a reader would type them.
    alias: [
      { find: /^halforder$/, replacement: here('./src/index.ts') },
      { find: /^halforder\/laws$/, replacement: here('./laws/index.ts') },
      { find: /^halforder\/laws\/(.+)$/, replacement: here('./laws/$1.ts') },
      { find: /^halforder\/([a-z]+)$/, replacement: here('./src/$1/index.ts') },
      { find: /^halforder\/(.+)$/, replacement: here('./src/$1.ts') }
    ]
  },
  test: {
    environment: 'node',
    projects: [
      { extends: true, test: { name: 'rooms', include: shared, isolate: false } },
      {
        extends: true,
        test: {
          name: 'others',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...shared],
          globalSetup: ['test/shared.ts']
        }
      }
    ],
    setupFiles: ['test/setup.ts'],
    // a file on every core (by default one core has none): what they cost is measured in seconds of the processor
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { include: ['src/**/*.ts', 'laws/**/*.ts', 'cli/**/*.ts'] }
  }
})
