/**
 * What can be wrong when weights are brought from other names and layouts, and how to say it.
 *
 * @since 0.1.0
 */
import { quote, several } from '../document/Shown.js'
import { show } from '../tensor/Shape.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One thing that does not fit.
 *
 * - `Unmapped`: no rule says where the parameter is.
 * - `Unfit`: the rule's layout has no place for the parameter's shape.
 * - `Missing`: there is no tensor of the name that the rules give the parameter.
 * - `Misshapen`: the tensor has another shape.
 * - `Unused`: no parameter takes the tensor.
 * - `Shared`: two parameters take the tensor.
 * - `Lost`: a parameter that is not stored has other numbers than a rule fills in.
 *
 * @category model
 * @since 0.1.0
 */
export type Finding =
  | { readonly _tag: 'Unmapped'; readonly parameter: string; readonly shape: ReadonlyArray<number> }
  | {
      readonly _tag: 'Unfit'
      readonly parameter: string
      readonly shape: ReadonlyArray<number>
      readonly layout: string
    }
  | {
      readonly _tag: 'Missing'
      readonly parameter: string
      readonly name: string
      readonly shape: ReadonlyArray<number>
      readonly nearest: ReadonlyArray<string>
    }
  | {
      readonly _tag: 'Misshapen'
      readonly name: string
      readonly expected: ReadonlyArray<number>
      readonly got: ReadonlyArray<number>
    }
  | {
      readonly _tag: 'Unused'
      readonly name: string
      readonly shape: ReadonlyArray<number>
      readonly nearest: ReadonlyArray<string>
    }
  | { readonly _tag: 'Shared'; readonly name: string; readonly parameters: ReadonlyArray<string> }
  | { readonly _tag: 'Lost'; readonly parameter: string; readonly expected: number; readonly got: number }

/**
 * Everything that does not fit, at once.
 *
 * @category model
 * @since 0.1.0
 */
export interface ForeignError {
  readonly _tag: 'ForeignError'
  readonly findings: ReadonlyArray<Finding>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

const meant = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? '' : `; near it is ${names.map(quote).join(', ')}`

const line = (finding: Finding): string => {
  switch (finding._tag) {
    case 'Unmapped':
      return `${quote(finding.parameter)} ${show(finding.shape)}: expected a rule for it, got none; add a rename or a fill`
    case 'Unfit':
      return `${quote(finding.parameter)} ${show(finding.shape)}: expected a shape that the layout '${finding.layout}' fits; give its rule another layout`
    case 'Missing':
      return `${quote(finding.name)}: expected ${show(finding.shape)}${finding.name === finding.parameter ? '' : ` for ${quote(finding.parameter)}`}, got no such tensor${meant(finding.nearest)}`
    case 'Misshapen':
      return `${quote(finding.name)}: expected ${show(finding.expected)}, got ${show(finding.got)}; check the sizes of the lens, and the layout`
    case 'Unused':
      return `${quote(finding.name)} ${show(finding.shape)}: expected a parameter that takes it, got none${finding.nearest.length === 0 ? '; add a rename or an ignore' : meant(finding.nearest)}`
    case 'Shared':
      return `${quote(finding.name)}: expected one parameter that takes it, got ${several(finding.parameters.map(quote))}; give one of them a rule of its own`
    case 'Lost':
      return `${quote(finding.parameter)}: expected ${finding.expected} everywhere, since it is not stored, got ${finding.got}; map it by a rename`
  }
}

// a file that is none of the expected has a finding for each of its tensors
const mostLines = 100

/**
 * One line a finding for a person: what, expected, got, what to do. Of many findings the first hundred.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = ({ findings }: ForeignError): string => {
  const lines = findings.slice(0, mostLines).map(line)
  return [...lines, ...(findings.length > mostLines ? [`... (${findings.length} in all)`] : [])].join('\n')
}
