// the example
import { Conditions } from 'halforder/training'

const language = Conditions.oneOf(['left', 'right'])
// until here
export const made: unknown = language
