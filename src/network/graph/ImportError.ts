/**
 * Why a graph is no lens, and how to say it.
 *
 * @since 0.1.0
 */
import { near } from '../../document/Nearest.js'
import { plain, quote, several } from '../../document/Shown.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why a graph is no lens.
 *
 * - `Unknown`: there are operators that have no row, each with a node that uses it.
 * - `Refused`: a node uses an operator in a way that its row does not take.
 * - `Missing`: a node reads what no node before it makes.
 * - `Port`: an input or output is not said, or has a size that must be.
 *
 * @category model
 * @since 0.1.0
 */
export type ImportError =
  | { readonly _tag: 'Unknown'; readonly operators: ReadonlyArray<{ readonly op: string; readonly node: string }> }
  | {
      readonly _tag: 'Refused'
      readonly op: string
      readonly node: string
      readonly expected: string
      readonly got: string
    }
  | { readonly _tag: 'Missing'; readonly node: string; readonly name: string }
  | { readonly _tag: 'Port'; readonly name: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: where, expected, got, what to do. `known` are the operators that there are.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showImportError = (error: ImportError, known: ReadonlyArray<string>): string => {
  switch (error._tag) {
    case 'Unknown':
      return `graph: expected operators of the table, got ${several(
        error.operators.map(({ op, node }) => {
          const [nearest] = near(op, known)
          return `${plain(op)} in node ${quote(node)}${nearest === undefined ? '' : ` (near it is ${nearest})`}`
        })
      )}; add a row for each in src/network/operator, or export the model without them`
    case 'Refused':
      return `${error.op} in node ${quote(error.node)}: expected ${error.expected}, got ${error.got}; export the model so, or give what is known as fixed`
    case 'Missing':
      return `node ${quote(error.node)}: expected a value ${quote(error.name)} from a node before it, got none; export the model again`
    case 'Port':
      return `${quote(error.name)}: expected ${error.expected}, got ${error.got}; give sizes for the names, or export the model with shapes`
  }
}
