/** What `npm run faults` does at length, a few times each. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { limited } from './disks.js'
import { killing } from './kills.js'
import { closed } from './pipes.js'
import { build, finetuneIn, newFolder, pretrainIn, resumed, scratch } from './program.js'
import { together } from './sharing.js'

const { path, remove } = scratch('short')

beforeAll(build)
afterAll(remove)

// a loaded machine takes ten times as long
const patience = 300_000

test.each([
  ['finetune', (base: string) => ({ begin: (folder: string) => finetuneIn(base, folder), goOn: resumed })],
  ['pretrain', () => ({ begin: (folder: string) => pretrainIn(folder), goOn: (folder: string) => pretrainIn(folder) })]
])(
  'a %s that is killed goes on to the bytes of an unbroken run',
  async (command, way) => {
    const base = newFolder(path, command)
    const tally = await killing({ ...way(base), base, kills: 1, seed: 3, signals: ['SIGKILL'] })
    expect(tally).toMatchObject({ killed: 1, unresumable: 0, different: 0, complaints: [] })
  },
  patience
)

test(
  'of two processes that start in one folder one runs, and the folder is its own',
  async () => {
    const shared = await together(newFolder(path, 'together'), 1, 2)
    expect(shared).toMatchObject({ ran: 1, refused: 1, other: 0, different: 0, complaints: [] })
  },
  patience
)

test(
  'a disk that takes no more ends a run with 1, and it goes on when there is room',
  async () => {
    const base = newFolder(path, 'limited')
    const broken = await limited(base, { begin: (folder) => finetuneIn(base, folder), goOn: resumed }, [40])
    expect(broken).toMatchObject({ failed: 1, unclear: 0, unresumable: 0, different: 0, complaints: [] })
  },
  patience
)

test(
  'a run whose readers go away ends with 0 and a whole folder',
  async () => {
    expect(await closed(newFolder(path, 'closed'), [0], [['stdout', 'stderr']])).toMatchObject({
      tried: 1,
      wrong: 0,
      complaints: []
    })
  },
  patience
)
