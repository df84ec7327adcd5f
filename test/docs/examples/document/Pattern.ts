// the example
import { Pattern } from 'halforder/document'

const stars = Pattern.captures('blocks.*.**.weight', 'blocks.0.film.scale.weight') // ['0', 'film.scale']
// until here
export const made: unknown = stars
