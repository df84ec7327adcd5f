/**
 * `halforder export`: a model of diffusers as a file of ONNX.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { plain } from 'halforder/document/Shown'
import { template } from 'halforder/network/Record'
import { show } from 'halforder/tensor/Shape'
import { fail, file, type Step, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { paperBeside } from './FileModel.js'
import { open } from '../ForeignModel.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface ExportOptions {
  readonly model: string
  readonly out: string
  readonly weightsKey?: string
  readonly part?: 'encoder' | 'decoder'
}

const written = (options: ExportOptions): Step<ReadonlyArray<string>> => {
  const { model: path, out } = options
  const beside = out.replace(/\.onnx$/, '.json')
  return pipe(
    TE.fromEither(
      beside === out
        ? E.left(usage(`--out: expected a name that ends in .onnx, got ${plain(out)}`))
        : E.right(undefined)
    ),
    TE.flatMap(() => open(path, options)),
    TE.flatMap((found) =>
      found._tag === 'Model'
        ? TE.right(found)
        : TE.left(usage(`${path}: expected a folder of diffusers, got weights alone; put config.json beside them`))
    ),
    TE.bindTo('found'),
    TE.bind('bytes', ({ found }) => TE.fromEither(found.onnx())),
    TE.bind('paper', ({ found }) => paperBeside(found)),
    TE.tap(() => file(Files.prepare(out))),
    TE.tap(({ bytes }) => file(Files.write(out, bytes))),
    TE.tap(({ paper }) =>
      paper === undefined
        ? TE.right(undefined)
        : file(Files.write(beside, `${JSON.stringify(paper.document, null, 2)}\n`))
    ),
    TE.map(({ found: { model }, bytes, paper }) => {
      const ports = (all: typeof model.outputs): string =>
        all.map(({ name, shape }) => `${plain(name)} ${show(shape)}`).join(', ')
      return [
        `${out}: ${ports(model.inputs)} to ${ports(model.outputs)}, ${bytes.length} bytes`,
        paper === undefined
          ? `missing: what its numbers mean; say it in ${beside}, such as ${template(model)}`
          : `${beside}: what its numbers mean, as ${paper.name} has it`
      ]
    })
  )
}

/**
 * Runs the command and gives its exit code: 0, 1 (it could not be written) or 2 (wrong usage, nothing written).
 *
 * @category effects
 * @since 0.1.0
 */
export const exportModel = async (options: ExportOptions): Promise<number> => {
  const result = await written(options)()
  if (E.isLeft(result)) return fail('export')(result.left)
  process.stdout.write(`${result.right.join('\n')}\n`)
  return 0
}
